"""How well text can be told from what lies behind it, by the formula of WCAG 2."""

#: For a page to evaluate: the lowest contrast of any text in HTML (not in SVG), and that text.
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
  const contrasts = [...document.querySelectorAll(".answer *, #words *, .intro *, .cards *")]
    .filter(element => element.offsetParent
      && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .map(element => {
      const under = behind(element), over = [...under, getComputedStyle(element).color];
      const [a, b] = [mixed(under), mixed(over)].map(luminance);
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent.trim()];
    });
  return contrasts.sort((a, b) => a[0] - b[0])[0];
}"""
