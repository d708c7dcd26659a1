/* The e-card's code, fresh every half minute. Offline the card stays readable with its time, and a code that
 * has run out is blurred, so that nobody holds it under a scanner in vain. Nothing is kept in the browser. */
"use strict";

const live = document.getElementById("live");
const csrf = document.querySelector("#token [name=csrfmiddlewaretoken]").value;
const ANSWER_LIMIT = 8000; // ms after which an answer counts as lost
let expires = Date.parse(live.dataset.expires);
let timer = null;

function show() {
    const isOver = Date.now() >= expires;
    live.classList.toggle("is-stale", isOver);
    document.getElementById("stale").hidden = !isOver;
    document.getElementById("as-of").hidden = navigator.onLine && !isOver;
}

async function renew() {
    clearTimeout(timer);
    timer = setTimeout(renew, live.dataset.seconds * 1000);
    try {
        const answer = await fetch(live.dataset.url, {
            method: "POST", headers: { "X-CSRFToken": csrf }, cache: "no-store", credentials: "same-origin",
            signal: AbortSignal.timeout(ANSWER_LIMIT),
        });
        if (answer.status === 403) return window.location.reload(); // the twelve hours are over
        if (answer.ok) {
            const fresh = await answer.json();
            document.getElementById("qr").src = fresh.qr;
            document.getElementById("barcode").src = fresh.barcode;
            expires = Date.parse(fresh.expires_at);
        }
    } catch {
        // No line: what is shown says so when it has run out.
    }
    show();
}

window.addEventListener("online", renew);
window.addEventListener("offline", show);
document.addEventListener("visibilitychange", () => document.hidden || renew());
setInterval(show, 1000);
timer = setTimeout(renew, live.dataset.seconds * 1000);
show();
