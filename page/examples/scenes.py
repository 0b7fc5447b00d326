"""Pictures that we draw ourselves, for examples that no installed picture fits."""

from PIL import Image

from page.examples.canvas import box, canvas, disc, ellipse, finished, line, person, points


def wedding() -> Image.Image:
    """A bride and a man in a dark suit before a castle."""
    picture, draw = canvas("#BFE3F5")
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
    for x, colour in ((0.455, "#D55E00"), (0.475, "#CC79A7"), (0.465, "#E69F00")):
        disc(draw, x, 0.71, 0.014, colour)
    person(draw, 0.57, 0.49, skin="#E8B98E", hair="#B5522B", top="#22304A")
    box(draw, 0.535, 0.6, 0.605, 0.78, "#22304A")
    box(draw, 0.54, 0.77, 0.567, 0.95, "#1A2438")
    box(draw, 0.573, 0.77, 0.6, 0.95, "#1A2438")
    draw.polygon(points(0.56, 0.585, 0.58, 0.585, 0.57, 0.66), fill="#FFFFFF")
    return finished(picture)


def drummer() -> Image.Image:
    """A man with drums on a stage."""
    picture, draw = canvas("#1B1B3A")
    for x, colour in ((0.1, "#3C3C78"), (0.5, "#4A4A8C"), (0.9, "#3C3C78")):
        draw.polygon(points(x - 0.015, 0.0, x + 0.015, 0.0, 0.5 + (x - 0.5) * 0.4 + 0.22, 0.8,
                             0.5 + (x - 0.5) * 0.4 - 0.22, 0.8), fill=colour)  # fmt: skip
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
    return finished(picture)


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
