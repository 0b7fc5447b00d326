/* The answer: its pairs are chosen and compared by a click or a key.
   Gradio runs this file as the body of a function; `element` is the component, `watch` runs a function whenever its
   value has changed, and `trigger` sends an event to the page's Python code. */
/* global element, trigger, watch */

/** The data-key of what was clicked last: the answer is rendered anew, and the focus goes back to it. */
let lastKey = null;

/** Returns the data-key of what was clicked: of the part itself, or of the button in the row of its pair. */
function keyOf(target, pair) {
  const keyed = target.closest("[data-key]") ?? pair.querySelector("[data-key]") ?? pair;
  return keyed.dataset.key;
}

/** Shows the pair that was clicked or, on its "compare" button, sets it beside the pair that is shown. */
function choosePair(event) {
  if (event.detail > 1) {
    return; // the second click of a double click would take back what the first one did
  }
  const compare = event.target.closest("[data-compare]");
  const pair = event.target.closest("[data-pair]");
  if (!compare && !pair) {
    return;
  }
  lastKey = keyOf(event.target, pair);
  if (compare) {
    trigger("select", { pair: Number(compare.dataset.compare), compare: true });
  } else {
    trigger("select", { pair: Number(pair.dataset.pair), compare: false });
  }
}

/** Chooses the line of the graph that has the focus; buttons turn Enter and the space bar into clicks by themselves. */
function choosePairByKey(event) {
  if (["Enter", " "].includes(event.key) && event.target.closest("g[data-pair]")) {
    event.preventDefault();
    choosePair(event);
  }
}

/** Gives the focus back to what was clicked, once the answer is rendered anew. */
function restoreFocus() {
  const clicked = lastKey !== null && element.querySelector(`[data-key="${lastKey}"]`);
  if (clicked) {
    clicked.focus({ preventScroll: true });
  }
  lastKey = null;
}

element.addEventListener("click", choosePair);
element.addEventListener("keydown", choosePairByKey);
watch("value", restoreFocus);
