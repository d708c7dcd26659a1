/* The desk without waiting: forms are sent and their answer is put into #place. Without this file the same
 * forms work as plain pages.
 *
 * What it promises: a form that moves points carries a nonce from the server, so pressing twice, a lost
 * answer and a retry count once; nothing is sent while the line is down; of a member it remembers only
 * what the offline card shows (masked name, tier, points, time), and forgets it at sign-out. */
"use strict";

const LAST = "desk.last";
const LINE_CHECK = 5000; // ms between tries while the line is down
const QUOTE_PAUSE = 180; // ms after the last key before the sum is asked for
const ANSWER_LIMIT = 15000; // ms after which an answer counts as lost

const place = document.getElementById("place");
const asked = document.getElementById("asked");
const word = (name) => document.getElementById(`word-${name}`).content.cloneNode(true);

/* -- The line ------------------------------------------------------------------------------------- */

let lineTimer = null;

function lineIs(up) {
    document.body.classList.toggle("is-offline", !up);
    document.getElementById("offline").hidden = up;
    for (const label of document.querySelectorAll("[data-line]")) label.hidden = (label.dataset.line === "up") !== up;
    for (const button of document.querySelectorAll("form[data-moves] button:not([type=button])")) button.disabled = !up;
    clearInterval(lineTimer);
    if (!up) lineTimer = setInterval(askLine, LINE_CHECK);
}

async function askLine() {
    try {
        const answer = await fetch("/livez", { cache: "no-store", signal: AbortSignal.timeout(LINE_CHECK - 500) });
        if (answer.ok) lineIs(true);
    } catch {
        lineIs(false);
    }
}

const isOffline = () => document.body.classList.contains("is-offline");

function remember() {
    const card = place.querySelector(".desk-card");
    if (!card) return;
    const { name, tier, points } = card.dataset;
    const { clerk } = document.body.dataset;
    sessionStorage.setItem(LAST, JSON.stringify({ clerk, name, tier, points, time: new Date().toISOString() }));
}

function showLast() {
    const kept = sessionStorage.getItem(LAST);
    if (!kept) return;
    const last = JSON.parse(kept);
    // Another clerk's customer is not this one's to see.
    if (last.clerk !== document.body.dataset.clerk) return sessionStorage.removeItem(LAST);
    const card = word("last");
    for (const spot of card.querySelectorAll("[data-last]")) spot.textContent = last[spot.dataset.last];
    const time = card.querySelector("time");
    time.dateTime = last.time;
    time.textContent = new Date(last.time).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    place.replaceChildren(card);
}

/* -- Sending and showing -------------------------------------------------------------------------- */

/* The server's answer, or null when none came. An answer that is no part of the desk (signed out, gone)
 * is shown by loading the page itself. */
async function ask(url, body) {
    let answer;
    try {
        answer = await fetch(url, {
            method: body ? "POST" : "GET", body, headers: { "X-Desk": "part" }, cache: "no-store", credentials: "same-origin",
            signal: AbortSignal.timeout(ANSWER_LIMIT),
        });
    } catch {
        askLine();
        return null;
    }
    if (answer.headers.get("X-Desk") === "part") return { text: await answer.text(), url: answer.headers.get("X-Desk-Url"), ok: answer.ok };
    if (answer.status >= 500) return { broken: true };
    window.location.reload();
    return new Promise(() => {});
}

function show(answer) {
    place.innerHTML = answer.text;
    if (answer.url) history.replaceState(null, "", answer.url);
    for (const next of document.querySelectorAll(".desk-languages input[name=next]")) next.value = window.location.pathname;
    prepare();
}

/* Puts the focus where the next key belongs: a mistake, else the amount or name, else the next scan. */
function prepare() {
    remember();
    lineIs(!isOffline());
    const invalid = place.querySelector("[aria-invalid=true]");
    const first = place.querySelector("#id_one_time, [name=again]") ?? place.querySelector("#id_amount, #id_name, [data-first]");
    for (const max of place.querySelectorAll("[data-max]")) max.hidden = false;
    (invalid || first || asked).focus();
    invalid?.select();
}

function complain(form, name) {
    form.querySelector(":scope > .desk-lost")?.remove();
    const box = document.createElement("div");
    box.className = "desk-lost";
    box.append(word(name));
    form.append(box);
}

async function send(form, submitter) {
    if (form.dataset.sending) return;
    if (isOffline()) {
        if (form.id === "find") showLast();
        return;
    }
    form.dataset.sending = "yes";
    document.body.classList.add("is-busy");
    const buttons = [...form.querySelectorAll("button")];
    const body = new FormData(form, submitter);
    for (const button of buttons) button.disabled = true;
    const answer = await ask(form.action, body);
    document.body.classList.remove("is-busy");
    delete form.dataset.sending;
    for (const button of buttons) button.disabled = false;
    if (answer?.text !== undefined) {
        if (form.id === "find") asked.value = "";
        show(answer);
    } else if (form.id === "find" && isOffline()) showLast();
    else complain(form.id === "find" ? place : form, answer?.broken ? "broken" : "lost");
}

document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id === "sign-out") sessionStorage.removeItem(LAST);
    if (!form.matches("[data-swap]")) return;
    event.preventDefault();
    send(form, event.submitter);
});

document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-go], a[data-next]");
    if (link && link.matches("[data-next]")) {
        event.preventDefault();
        return nextCustomer();
    }
    if (link) {
        event.preventDefault();
        const answer = await ask(link.href);
        if (answer?.text !== undefined) show(answer);
    }
    if (event.target.closest("[data-max]")) useMost();
});

async function nextCustomer() {
    asked.value = "";
    asked.focus();
    const answer = isOffline() ? null : await ask(document.querySelector(".desk-brand").href);
    if (answer?.text !== undefined) show(answer);
}

/* -- The till ------------------------------------------------------------------------------------- */

let quoteTimer = null;
let quoteNumber = 0;

async function quoteNow(form) {
    clearTimeout(quoteTimer);
    const number = ++quoteNumber;
    const answer = await ask(form.dataset.quote, new FormData(form));
    // Only the latest sum is shown: an answer that was overtaken is about an amount that is gone.
    if (answer?.text !== undefined && number === quoteNumber && form.isConnected) form.querySelector("#quote").innerHTML = answer.text;
}

function quoteSoon(form) {
    clearTimeout(quoteTimer);
    if (!isOffline()) quoteTimer = setTimeout(() => quoteNow(form), QUOTE_PAUSE);
}

function useMost() {
    const form = document.getElementById("till");
    form.elements.use_points.checked = true;
    form.elements.points.value = form.querySelector("#usable")?.value ?? "";
    quoteNow(form);
}

/* -- A refund: what is typed or ticked is also what is chosen ------------------------------------- */

document.addEventListener("input", (event) => {
    const form = event.target.closest("#refund");
    if (!form || event.target.name === "reason") return;
    const chosen = { goods: "part", line: "lines" }[event.target.name];
    if (chosen) form.elements.what.value = chosen;
    if (event.target.value === "part") form.elements.goods.focus();
    // What was shown is about another choice now, and cannot be confirmed any more.
    for (const button of form.querySelectorAll("[data-pay]")) button.disabled = true;
    quoteSoon(form);
});

document.addEventListener("input", (event) => {
    const form = event.target.closest("#till");
    if (!form) return;
    if (event.target.name === "code" && event.target.value.trim()) form.elements.use_coupons.checked = true;
    if (event.target.name === "points") form.elements.use_points.checked = event.target.value.trim() !== "";
    if (event.target.name === "use_points" && !event.target.checked) form.elements.points.value = "";
    quoteSoon(form);
});

/* A scanner types into whatever has the focus. What cannot be an amount is a member being scanned. */
const looksScanned = (text) => /^1[3-9]\d{9}$/.test(text) || /[a-z]/i.test(text);

document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const { target, key } = event;
    if (key === "Escape") return nextCustomer();
    if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        const form = place.querySelector("form[data-primary]");
        return form?.requestSubmit();
    }
    if (key === "Enter" && target.id === "id_amount") {
        event.preventDefault();
        if (looksScanned(target.value.trim())) {
            asked.value = target.value.trim();
            document.getElementById("find").requestSubmit();
        } else if (target.value.trim()) {
            quoteNow(target.form);
            target.form.querySelector("[data-pay]").focus();
        }
        return;
    }
    if (key === "Enter" && target.matches("[data-then-confirm]")) {
        event.preventDefault();
        return quoteNow(target.form).then(() => target.form?.querySelector("[data-pay]")?.focus());
    }
    // Keys that nobody is listening to belong to the scanner.
    const isTyping = target.closest("input:not([type=radio], [type=checkbox]), textarea, select");
    if (!isTyping && key.length === 1 && key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey) asked.focus();
});

/* -- Start ---------------------------------------------------------------------------------------- */

window.addEventListener("offline", () => lineIs(false));
window.addEventListener("online", askLine);
lineIs(navigator.onLine);
if (place.firstElementChild) prepare();
