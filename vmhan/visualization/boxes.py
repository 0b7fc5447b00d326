"""The objects of an image, drawn on it with the attention of a pair.

Colors are Okabe and Ito's, which color-blind people can tell apart.
"""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from vmhan.image_decoding import to_upright_rgb

PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#CC79A7", "#0072B2")
_DARK_TEXT = ("#E69F00", "#56B4E9", "#F0E442", "#009E73", "#CC79A7")  # colors that white letters drown in
_WIDEST, _USUAL = 8, 3  # times a 300th of the longer side: a stroke with all the attention, and one without any
_LEAST_SIDE = 480  # pixels; on smaller images letters and strokes would be blots


def draw_objects(image: Image.Image, objects: Sequence[dict], title: str | None = None) -> Image.Image:
    """Draws the boxes of objects on their image, each with its name, in its own color.

    Args:
        image: Of any mode, shown upright. Small ones are enlarged.
        objects: `{"label", "box"}` each, boxes in pixel corners of `image` or None (not drawn). With `"attention"`,
            a share, the width of a stroke is in proportion to it, and the name says it in percent; otherwise the name
            comes with the `"score"`, if there is one.
        title: A line on top of the image.
    """
    image = to_upright_rgb(image)
    scale = max(1.0, _LEAST_SIDE / max(image.size))
    canvas = image.resize((round(image.width * scale), round(image.height * scale)))
    boxed = [item for item in objects if item.get("box") is not None]
    unit = max(canvas.size) / 300
    font = ImageFont.load_default(size=max(14, 7 * unit))
    pen = ImageDraw.Draw(canvas)
    # the faintest first, so that what counts lies on top
    for index, item in sorted(enumerate(boxed), key=lambda numbered: numbered[1].get("attention", 0.0)):
        width = max(1, round(unit * (_WIDEST * item["attention"] if "attention" in item else _USUAL)))
        box = [edge * scale for edge in item["box"]]
        _draw_object(pen, item, box, PALETTE[index % len(PALETTE)], width, unit, font)
    return _with_title(canvas, title, font) if title else canvas


def _draw_object(draw, item: dict, box: list[float], color: str, width: int, unit: float, font) -> None:
    draw.rectangle(box, outline=color, width=width)
    text = _caption(item)
    left, top, right, bottom = draw.textbbox((box[0], box[1]), text, font=font)
    drop = 0 if top < 0 else top - bottom - unit  # above the box if there is room, else inside
    drop = 0 if box[1] + drop < 0 else drop
    shift = min(0, draw.im.size[0] - right - 2 * unit)
    plate = (left + shift, top + drop, right + shift + 2 * unit, bottom + drop + unit)
    draw.rectangle(plate, fill=color)
    draw.text(
        (box[0] + shift + unit, box[1] + drop), text, font=font, fill="black" if color in _DARK_TEXT else "white"
    )


def _caption(item: dict) -> str:
    number = item.get("attention", item.get("score"))
    return item["label"] if number is None else f"{item['label']} {number:.0%}"


def _with_title(image: Image.Image, title: str, font) -> Image.Image:
    """Adds a title above the image, black on white, broken to its width."""
    lines, draw = [""], ImageDraw.Draw(image)
    for word in title.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font=font) > image.width - 8 and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    height = math.ceil(font.size * 1.3)
    taller = Image.new("RGB", (image.width, image.height + height * len(lines)), "white")
    taller.paste(image, (0, height * len(lines)))
    for number, line in enumerate(lines):
        ImageDraw.Draw(taller).text((4, number * height), line, font=font, fill="black")
    return taller


def contact_sheet(images: Sequence[Image.Image], columns: int = 3, width: int = 480) -> Image.Image:
    """Arranges images in rows on white, those of a row of equal height, and on average `width` pixels wide."""
    if not images:
        raise ValueError("There are no images to put on a sheet.")
    rows = [images[start : start + columns] for start in range(0, len(images), columns)]
    gap = width // 40
    scaled = [_of_equal_height(row, width * len(row)) for row in rows]
    widest = max(sum(image.width + gap for image in row) for row in scaled)
    sheet = Image.new("RGB", (widest + gap, sum(row[0].height + gap for row in scaled) + gap), "white")
    top = gap
    for row in scaled:
        left = gap
        for image in row:
            sheet.paste(image, (left, top))
            left += image.width + gap
        top += row[0].height + gap
    return sheet


def _of_equal_height(images: Sequence[Image.Image], width: int) -> list[Image.Image]:
    """Scales images to one height, together `width` pixels wide."""
    height = width / sum(image.width / image.height for image in images)
    return [image.resize((max(1, round(image.width * height / image.height)), round(height))) for image in images]


__all__ = ["PALETTE", "contact_sheet", "draw_objects"]
