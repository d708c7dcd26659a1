/* Uploads: each file is sent on its own and becomes a card. Without this script the form sends them itself. */
"use strict";

(() => {
    const form = document.querySelector(".im-upload");
    const cards = document.getElementById("im-cards");
    if (!form || !cards) {
        return;
    }
    const drop = form.querySelector(".sk-drop");
    const input = form.querySelector("input[type=file]");
    // The console's own script would write the name of the file into a text field that this form has not.
    input.hasChangeListener = true;

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
        cards.prepend(card);
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

    function send(file) {
        const { card, bar } = waitingCard(file);
        const body = new FormData();
        for (const field of form.querySelectorAll("select, input[type=hidden]")) {
            body.append(field.name, field.value);
        }
        body.append("files", file);
        const request = new XMLHttpRequest();
        request.open("POST", form.action);
        request.setRequestHeader("X-Shuke-Script", "1");
        request.upload.addEventListener("progress", (event) => {
            bar.max = event.total;
            bar.value = event.loaded;
        });
        request.addEventListener("load", () => {
            if (request.status !== 200) {
                showProblem(card);
                return;
            }
            const template = document.createElement("template");
            template.innerHTML = request.responseText;
            const parts = [...template.content.children];
            card.replaceWith(...parts);
            parts.forEach((part) => window.htmx.process(part));
        });
        request.addEventListener("error", () => showProblem(card));
        request.send(body);
    }

    function sendAll(files) {
        for (const file of files) {
            send(file);
        }
        input.value = "";
    }

    input.addEventListener("change", () => sendAll([...input.files]));
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        sendAll([...input.files]);
        input.focus();
    });
    for (const kind of ["dragenter", "dragover"]) {
        drop.addEventListener(kind, (event) => {
            event.preventDefault();
            drop.classList.add("sk-over");
        });
    }
    for (const kind of ["dragleave", "drop"]) {
        drop.addEventListener(kind, () => drop.classList.remove("sk-over"));
    }
    drop.addEventListener("drop", (event) => {
        event.preventDefault();
        sendAll([...event.dataTransfer.files]);
    });
})();
