"""Drawings of the examples: those that no installed photograph fits, and fallbacks for photographs not installed.

The photographs come with packages. What we marked in a photograph is at the same position in its drawing.
"""

from PIL import Image

from page.examples.canvas import box, canvas, disc, ellipse, finished, line, person, points

_SUIT, _DARK_SUIT, _SKIN = "#22304A", "#1A2130", "#E8B98E"


def wedding() -> Image.Image:
    """Draws a bride and a man in a dark suit before a castle."""
    image, draw = canvas("#BFE3F5")
    disc(draw, 0.84, 0.17, 0.06, "#FFF3C4")
    for x, y, r in ((0.33, 0.14, 0.035), (0.37, 0.125, 0.05), (0.415, 0.145, 0.035)):
        disc(draw, x, y, r, "#FFFFFF")
    ellipse(draw, -0.2, 0.62, 0.7, 1.2, "#9CC77B")
    ellipse(draw, 0.3, 0.6, 1.3, 1.3, "#86B567")
    _castle(draw)
    draw.polygon(points(0.44, 0.72, 0.56, 0.72, 0.78, 1.0, 0.22, 1.0), fill="#E9D8B4")
    person(draw, 0.42, 0.52, skin="#F2C9A1", hair="#6B3E26", top="#FFFFFF")
    draw.polygon(points(0.42, 0.62, 0.335, 0.96, 0.505, 0.96), fill="#FFFFFF")  # the dress
    draw.polygon(points(0.382, 0.47, 0.345, 0.8, 0.388, 0.78), fill="#F4F7FA")  # the veil
    for x, color in ((0.455, "#D55E00"), (0.475, "#CC79A7"), (0.465, "#E69F00")):
        disc(draw, x, 0.71, 0.014, color)
    person(draw, 0.57, 0.49, skin="#E8B98E", hair="#B5522B", top="#22304A")
    box(draw, 0.535, 0.6, 0.605, 0.78, "#22304A")
    box(draw, 0.54, 0.77, 0.567, 0.95, "#1A2438")
    box(draw, 0.573, 0.77, 0.6, 0.95, "#1A2438")
    draw.polygon(points(0.56, 0.585, 0.58, 0.585, 0.57, 0.66), fill="#FFFFFF")
    return finished(image)


def drummer() -> Image.Image:
    """Draws a man with drums on a stage."""
    image, draw = canvas("#1B1B3A")
    for x, color in ((0.1, "#3C3C78"), (0.5, "#4A4A8C"), (0.9, "#3C3C78")):
        draw.polygon(points(x - 0.015, 0.0, x + 0.015, 0.0, 0.5 + (x - 0.5) * 0.4 + 0.22, 0.8,
                             0.5 + (x - 0.5) * 0.4 - 0.22, 0.8), fill=color)  # fmt: skip
    box(draw, 0.0, 0.78, 1.0, 1.0, "#5A3A2E")
    for x in (0.0, 0.87):
        box(draw, x, 0.0, x + 0.13, 0.86, "#8C1C2C")
        for fold in (0.02, 0.055, 0.09):
            box(draw, x + fold, 0.0, x + fold + 0.012, 0.86, "#6E1422")
    person(draw, 0.5, 0.3, skin="#EBC19A", hair="#2E1D16", top="#009E73")
    box(draw, 0.455, 0.41, 0.545, 0.62, "#009E73")
    for elbow, hand in ((0.4, 0.37), (0.6, 0.63)):
        line(draw, 0.5 + (elbow - 0.5) * 0.5, 0.45, elbow, 0.5, "#009E73", 0.03)
        line(draw, elbow, 0.5, hand, 0.44, "#EBC19A", 0.02)
        line(draw, hand, 0.44, hand + (0.5 - hand) * 0.05, 0.34, "#F4E3C1", 0.008)
    for x, y in ((0.27, 0.36), (0.73, 0.36)):
        line(draw, x, y, x, 0.86, "#B9BEC6", 0.008)
        ellipse(draw, x - 0.095, y - 0.025, x + 0.095, y + 0.025, "#E8B93C")
    for x, y in ((0.36, 0.56), (0.64, 0.56), (0.29, 0.68), (0.71, 0.68)):
        _drum(draw, x, y)
    disc(draw, 0.5, 0.74, 0.14, "#D55E00")
    disc(draw, 0.5, 0.74, 0.12, "#F7F3EA")
    disc(draw, 0.5, 0.74, 0.035, "#D55E00")
    return finished(image)


def coaches() -> Image.Image:
    """Draws two men in dark suits in front of a crowd; one points and shouts, the other wears a badge."""
    image, draw = canvas("#5E7A94")
    for row in range(7):
        for seat in range(17):
            x, y = 0.062 * seat + 0.03 * (row % 2), 0.04 + 0.105 * row
            colors = ("#7B93A8", "#8FA3B0", "#6D8299", "#A7A2A8", "#7F8FA8")
            disc(draw, x, y, 0.02, colors[(3 * seat + 5 * row) % 5])
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
    return finished(image)


def tower() -> Image.Image:
    """Draws a tower of iron that glows at night behind branches."""
    image, draw = canvas("#1D2547")
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
    return finished(image)


def admiral() -> Image.Image:
    """Draws a woman in a navy uniform with a hat, before the American flag."""
    image, draw = canvas("#6B7686")
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
    return finished(image)


def _castle(draw) -> None:
    stone, dark, roof = "#B9AFA3", "#8E857B", "#7A4B57"
    box(draw, 0.2, 0.4, 0.8, 0.72, stone)
    for left in range(12):
        box(draw, 0.2 + left * 0.05, 0.375, 0.23 + left * 0.05, 0.41, stone)
    for x in (0.16, 0.72):
        box(draw, x, 0.25, x + 0.12, 0.72, "#C8BFB3")
        draw.polygon(points(x - 0.015, 0.25, x + 0.135, 0.25, x + 0.06, 0.08), fill=roof)
        box(draw, x + 0.05, 0.34, x + 0.07, 0.42, dark)
    box(draw, 0.44, 0.3, 0.56, 0.72, "#C8BFB3")
    draw.polygon(points(0.425, 0.3, 0.575, 0.3, 0.5, 0.13), fill=roof)
    for x in (0.3, 0.37, 0.61, 0.68):
        box(draw, x, 0.49, x + 0.02, 0.58, dark)
    ellipse(draw, 0.46, 0.5, 0.54, 0.66, dark)
    box(draw, 0.46, 0.58, 0.54, 0.72, dark)


def _drum(draw, x: float, y: float) -> None:
    box(draw, x - 0.07, y, x + 0.07, y + 0.12, "#D55E00")
    ellipse(draw, x - 0.07, y + 0.1, x + 0.07, y + 0.14, "#B54F00")
    ellipse(draw, x - 0.07, y - 0.022, x + 0.07, y + 0.022, "#F7F3EA")


def _man(draw, x: float, y: float, size: float, suit: str, hair: str) -> None:
    """Draws a man down to the edge of the image.

    Args:
        draw: The pen.
        x: Middle of his head.
        y: Middle of his head.
        size: Half the width of his shoulders.
        suit: Color of his suit.
        hair: Color of his hair.
    """
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
