/* The cards of the examples: a click fills the page without loading it anew.
   Gradio runs this file as the body of a function; `element` is the component, and `trigger` sends an event to the
   page's Python code. */
/* global element, trigger */

/** Puts the link to an example into the address bar, so that it can be copied. */
function showLink(example) {
  const address = new URL(location);
  address.searchParams.set("example", example);
  history.replaceState(null, "", address);
}

/** Fills in the example whose card was clicked; with a modifier key the browser follows the link as it would any. */
function chooseExample(event) {
  const card = event.target.closest("a[data-example]");
  if (!card || event.ctrlKey || event.metaKey || event.shiftKey) {
    return;
  }
  event.preventDefault();
  showLink(card.dataset.example);
  trigger("select", { example: card.dataset.example });
}

element.addEventListener("click", chooseExample);
