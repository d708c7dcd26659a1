/* What somebody types while the server answers stays: a part of the rule builder that is drawn anew gets it
 * back. Without this file nothing is missing but that. The form asks one question after the other (hx-sync
 * queues them): two at once would answer in either order, and the older answer would undo the newer. */
"use strict";

const FIELDS = "input, select, textarea";

let sent = new Map(); // what each field held when the last question was sent
let typed = []; // [name, place among its name, value, checked] of what has changed since

const placeOf = (field) => [...document.getElementsByName(field.name)].indexOf(field);
const holds = (field) => `${field.value}\u0000${field.checked ?? ""}`;

document.addEventListener("htmx:beforeRequest", () => {
    sent = new Map([...document.querySelectorAll(FIELDS)].map((field) => [field, holds(field)]));
});

document.addEventListener("htmx:beforeSwap", (event) => {
    typed = [...event.detail.target.querySelectorAll(FIELDS)]
        .filter((field) => field.name && field.type !== "hidden" && sent.has(field) && sent.get(field) !== holds(field))
        .map((field) => [field.name, placeOf(field), field.value, field.checked]);
});

document.addEventListener("htmx:afterSwap", () => {
    for (const [name, place, value, checked] of typed) {
        const field = document.getElementsByName(name)[place];
        if (!field) continue;
        field.value = value;
        field.checked = checked;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        // A choice may draw its row anew, and whoever was drawing it is gone.
        field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    typed = [];
});
