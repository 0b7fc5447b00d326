"""Drawings in place of photographs that installed packages carry, where these packages are not installed.

What we marked in the photograph stands at the same place in the drawing.
"""

from PIL import Image

from page.examples.canvas import box, canvas, disc, ellipse, finished, line, points

_SUIT, _DARK_SUIT, _SKIN = "#22304A", "#1A2130", "#E8B98E"


def coaches() -> Image.Image:
    """Two men in dark suits in front of a crowd; one points and shouts, the other wears a badge."""
    picture, draw = canvas("#5E7A94")
    for row in range(7):
        for seat in range(17):
            x, y = 0.062 * seat + 0.03 * (row % 2), 0.04 + 0.105 * row
            colours = ("#7B93A8", "#8FA3B0", "#6D8299", "#A7A2A8", "#7F8FA8")
            disc(draw, x, y, 0.02, colours[(3 * seat + 5 * row) % 5])
    _man(draw, 0.75, 0.27, 0.17, _SUIT, hair="#3A2C26")
    for x in (0.69, 0.81):
        line(draw, x, 0.62, 0.75, 0.86, "#C23B3B", 0.007)
    box(draw, 0.72, 0.85, 0.78, 0.97, "#F7F3EA")
    box(draw, 0.735, 0.87, 0.765, 0.91, "#D55E00")
    _man(draw, 0.36, 0.5, 0.24, _DARK_SUIT, hair="#E1AE82")
    ellipse(draw, 0.345, 0.545, 0.395, 0.625, "#7A2430")  # the shout
    line(draw, 0.55, 0.9, 0.77, 0.66, _DARK_SUIT, 0.075)
    line(draw, 0.75, 0.68, 0.785, 0.645, "#F7F3EA", 0.055)
    disc(draw, 0.8, 0.63, 0.033, _SKIN)
    line(draw, 0.8, 0.61, 0.89, 0.585, _SKIN, 0.018)
    return finished(picture)


def tower() -> Image.Image:
    """A tower of iron that glows at night behind branches."""
    picture, draw = canvas("#1D2547")
    for x, y in ((0.08, 0.12), (0.2, 0.3), (0.31, 0.1), (0.13, 0.47), (0.9, 0.6), (0.96, 0.72), (0.27, 0.52)):
        disc(draw, x, y, 0.004, "#F4F1DE")
    glow, iron = "#E8B93C", "#8A5A18"
    draw.polygon(points(0.545, 0.16, 0.555, 0.16, 0.6, 0.56, 0.5, 0.56), fill=glow)
    draw.polygon(points(0.5, 0.56, 0.6, 0.56, 0.74, 1.0, 0.36, 1.0), fill=glow)
    line(draw, 0.55, 0.1, 0.55, 0.2, glow, 0.006)
    ellipse(draw, 0.45, 0.84, 0.65, 1.2, "#1D2547")
    for y, half in ((0.4, 0.045), (0.56, 0.07), (0.78, 0.125)):
        box(draw, 0.55 - half, y, 0.55 + half, y + 0.022, iron)
    for step in range(9):
        y, half = 0.2 + 0.04 * step, 0.008 + 0.0045 * step
        line(draw, 0.55 - half, y, 0.55 + half, y + 0.04, iron, 0.003)
        line(draw, 0.55 + half, y, 0.55 - half, y + 0.04, iron, 0.003)
    for x0, y0, x1, y1, width in ((1.0, 0.05, 0.62, 0.3, 0.014), (0.86, 0.14, 0.6, 0.06, 0.008),
                                  (0.78, 0.2, 0.7, 0.44, 0.007), (0.95, 0.08, 0.88, 0.42, 0.009),
                                  (0.68, 0.26, 0.4, 0.24, 0.006), (0.66, 0.08, 0.44, 0.12, 0.005)):  # fmt: skip
        line(draw, x0, y0, x1, y1, "#0B0E1F", width)
    for x, y in ((0.62, 0.3), (0.6, 0.06), (0.7, 0.44), (0.88, 0.42), (0.42, 0.24), (0.45, 0.12), (0.8, 0.3)):
        ellipse(draw, x - 0.03, y - 0.03, x + 0.03, y + 0.03, "#16233A")
    return finished(picture)


def admiral() -> Image.Image:
    """A woman in a navy uniform with a hat, before the American flag."""
    picture, draw = canvas("#6B7686")
    for stripe in range(13):
        top = 0.75 * stripe / 13
        box(draw, 0.0, top, 0.45, top + 0.75 / 13, "#B22234" if stripe % 2 == 0 else "#F7F3EA")
    box(draw, 0.0, 0.0, 0.24, 0.404, "#3C3B6E")
    for row in range(4):
        for column in range(5):
            disc(draw, 0.026 + 0.047 * column, 0.055 + 0.098 * row, 0.008, "#F7F3EA")
    ellipse(draw, 0.17, 0.62, 0.85, 1.5, "#151A28")
    draw.polygon(points(0.44, 0.62, 0.58, 0.62, 0.51, 0.86), fill="#F7F3EA")
    draw.polygon(points(0.495, 0.68, 0.525, 0.68, 0.535, 0.86, 0.485, 0.86), fill="#0E121C")
    ellipse(draw, 0.4, 0.13, 0.62, 0.6, "#C9C4BD")  # her hair
    ellipse(draw, 0.425, 0.2, 0.595, 0.6, _SKIN)
    for x in (0.475, 0.545):
        disc(draw, x, 0.38, 0.02, "#3A3F4A")
        disc(draw, x, 0.38, 0.016, "#DDE6EC")
    line(draw, 0.485, 0.51, 0.535, 0.51, "#A2554E", 0.006)
    ellipse(draw, 0.33, 0.04, 0.69, 0.22, "#F7F3EA")
    box(draw, 0.4, 0.17, 0.62, 0.25, "#151A28")
    disc(draw, 0.51, 0.17, 0.022, "#E8B93C")
    ellipse(draw, 0.38, 0.22, 0.64, 0.285, "#0B0E17")
    for x in (0.3, 0.345, 0.39):
        for y in (0.83, 0.87):
            box(draw, x, y, x + 0.037, y + 0.026, ("#D55E00", "#E69F00", "#0072B2")[round(x * 100) % 3])
    return finished(picture)


def _man(draw, x: float, y: float, size: float, suit: str, hair: str) -> None:
    """A man down to the edge of the picture; `size` is the width of half his shoulders, `y` the middle of his head."""
    head = size * 0.48
    ellipse(draw, x - size, y + head * 1.55, x + size, 1.6, suit)
    draw.polygon(points(x - size * 0.3, y + head * 1.5, x + size * 0.3, y + head * 1.5, x, y + size * 2.2),
                 fill="#F7F3EA")  # fmt: skip
    draw.polygon(points(x - size * 0.07, y + head * 1.7, x + size * 0.07, y + head * 1.7, x, y + size * 2.1),
                 fill="#39507A")  # fmt: skip
    disc(draw, x, y - head * 0.25, head * 0.98, hair)
    ellipse(draw, x - head * 0.85, y - head * 1.3, x + head * 0.85, y + head * 1.75, _SKIN)
    for side in (-0.35, 0.35):
        disc(draw, x + side * head, y - head * 0.05, head * 0.07, "#2B2320")
