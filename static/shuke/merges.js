/* The review queue by keyboard: Y same, N different, S skip. Without this file the buttons do the same. */
"use strict";

document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input:not([type=hidden]), textarea, select, [contenteditable]");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) {
        return;
    }
    const button = document.querySelector(`.mg-decide [data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (button) {
        event.preventDefault();
        button.click();
    }
});
