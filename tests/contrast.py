"""How well text can be told from what lies behind it, by the formula of WCAG 2."""

#: For a page to evaluate: the lowest contrast of any text, and that text. That in images lies on plates of
#: its own and is left out.
FAINTEST_TEXT = """() => {
  const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const mixed = colours => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = rgb => rgb.map(part => part / 255)
    .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = element => element
    ? [...behind(element.parentElement), getComputedStyle(element).backgroundColor] : ["white"];
  const faded = (colour, element) => {
    let share = 1;
    for (let at = element; at; at = at.parentElement) share *= getComputedStyle(at).opacity;
    return `color-mix(in srgb, ${colour} ${100 * share}%, transparent)`;
  };
  const inSvg = element => element instanceof SVGElement;
  const plate = element => inSvg(element) ? [...element.parentElement.querySelectorAll("rect")]
    .map(rect => getComputedStyle(rect).fill) : [];
  const shown = element => inSvg(element)
    ? element.matches("text") && !element.closest(".image") : element.offsetParent;
  const contrasts = [...document.querySelectorAll(".gradio-container *")]
    .filter(element => shown(element)
      && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .map(element => {
      const style = getComputedStyle(element), under = [...behind(element), ...plate(element)];
      const over = [...under, faded(inSvg(element) ? style.fill : style.color, element)];
      const [a, b] = [mixed(under), mixed(over)].map(luminance);
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent.trim()];
    });
  return contrasts.sort((a, b) => a[0] - b[0])[0];
}"""
