/* A form is sent once: the second click of a double click is none. A form that answers with a file stays on its
 * page and may be sent again a little later, and so may one to which somebody comes back. */
"use strict";

const AGAIN_AFTER = 3000; // ms

document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.getAttribute("method")?.toLowerCase() !== "post") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, AGAIN_AFTER);
});

window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
