/* Uploads: each file is sent on its own and becomes a card. Without this script the form sends them itself. */
"use strict";

(() => {
    const AT_ONCE = 2; // requests; the worker reads one file after the other anyway
    const form = document.querySelector(".im-upload");
    const cards = document.getElementById("im-cards");
    if (!form || !cards) {
        return;
    }
    const drop = form.querySelector(".sk-drop");
    const input = form.querySelector("input[type=file]");
    const waiting = [];
    let sending = 0;
    // The console's own script would write the name of the file into a text field that this form has not.
    input.hasChangeListener = true;
    form.classList.add("im-live");

    function waitingCard(file) {
        const card = document.createElement("article");
        const title = document.createElement("h2");
        const bar = document.createElement("progress");
        const note = document.createElement("p");
        card.className = "sk-card im-card";
        title.textContent = file.name;
        bar.className = "sk-bar";
        bar.max = file.size || 1;
        bar.value = 0;
        bar.setAttribute("aria-label", form.dataset.sending);
        note.className = "sk-quiet";
        note.textContent = form.dataset.sending;
        card.append(title, bar, note);
        return { card, bar };
    }

    function showProblem(card) {
        const alert = document.createElement("p");
        alert.className = "sk-alert sk-bad";
        alert.setAttribute("role", "alert");
        alert.textContent = form.dataset.problem;
        card.querySelectorAll("progress, .sk-quiet").forEach((part) => part.remove());
        card.append(alert);
    }

    function showAnswer(card, file, answer) {
        const template = document.createElement("template");
        template.innerHTML = answer;
        const parts = [...template.content.children];
        card.replaceWith(...parts);
        for (const part of parts) {
            window.htmx.process(part);
            const again = part.querySelector(".im-again");
            again?.addEventListener("submit", (event) => {
                event.preventDefault();
                const next = waitingCard(file);
                part.replaceWith(next.card);
                enqueue(file, next, again.elements.channel.value);
            });
        }
        document.dispatchEvent(new Event("imports:taken"));
    }

    function enqueue(file, place, channel) {
        const body = new FormData(form);
        body.set("files", file);
        if (channel) {
            body.set("channel", channel);
        }
        waiting.push({ file, place, body });
        sendNext();
    }

    function sendNext() {
        if (sending >= AT_ONCE || waiting.length === 0) {
            return;
        }
        const { file, place, body } = waiting.shift();
        const request = new XMLHttpRequest();
        sending += 1;
        request.open("POST", form.action);
        request.setRequestHeader("X-Shuke-Script", "1");
        request.upload.addEventListener("progress", (event) => {
            place.bar.max = event.total;
            place.bar.value = event.loaded;
        });
        request.addEventListener("loadend", () => {
            sending -= 1;
            sendNext();
            if (request.status === 200) {
                showAnswer(place.card, file, request.responseText);
            } else {
                showProblem(place.card);
            }
        });
        request.send(body);
    }

    function sendAll(files) {
        for (const file of files) {
            const place = waitingCard(file);
            cards.prepend(place.card);
            enqueue(file, place);
        }
        input.value = "";
    }

    input.addEventListener("change", () => sendAll([...input.files]));
    form.addEventListener("submit", (event) => event.preventDefault());
    // A file that misses the zone would replace the page, so the whole page takes it.
    document.addEventListener("dragover", (event) => {
        event.preventDefault();
        drop.classList.add("sk-over");
    });
    document.addEventListener("dragleave", (event) => {
        if (!event.relatedTarget) {
            drop.classList.remove("sk-over");
        }
    });
    document.addEventListener("drop", (event) => {
        event.preventDefault();
        drop.classList.remove("sk-over");
        sendAll([...event.dataTransfer.files]);
    });
})();

/* Progress is drawn anew each second; a screen reader is told only when a file comes into another state. */
(() => {
    const said = document.getElementById("im-said");
    const states = new Map();

    function noteStates() {
        const changes = [];
        for (const badge of document.querySelectorAll("[data-run]")) {
            const { run, file } = badge.dataset;
            const state = badge.textContent;
            if (states.get(run) !== state) {
                states.set(run, state);
                changes.push(`${file}: ${state}`);
            }
        }
        return changes;
    }

    function tellChanges() {
        const changes = noteStates();
        if (changes.length > 0) {
            said.textContent = changes.join("\n");
        }
    }

    noteStates();
    document.addEventListener("imports:taken", tellChanges);
    document.addEventListener("htmx:afterSettle", tellChanges);
})();
