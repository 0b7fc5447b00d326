/* The words of the sentence: a click or a key picks a word, another drops it.
   Gradio runs this file as the body of a function; `element` is the component, `watch` runs a function whenever its
   value has changed, and `trigger` sends an event to the page's Python code. */
/* global element, trigger, watch */

/** The index of the word that was clicked last: the words are rendered anew, and the focus goes back to it. */
let lastWord = null;

/** Picks or drops the word that was clicked; the second click of a double click counts for nothing. */
function clickWord(event) {
  const word = event.target.closest("[data-word]");
  if (!word || event.detail > 1) {
    return;
  }
  lastWord = word.dataset.word;
  trigger("select", { word: Number(lastWord) });
}

/** Gives the focus back to the word that was clicked, unless the visitor writes in the meantime. */
function restoreFocus() {
  const clicked = lastWord !== null && element.querySelector(`[data-word="${lastWord}"]`);
  const isWriting = ["INPUT", "TEXTAREA"].includes(document.activeElement?.tagName);
  if (clicked && !isWriting) {
    clicked.focus({ preventScroll: true });
  }
  lastWord = null;
}

element.addEventListener("click", clickWord);
watch("value", restoreFocus);
