"""Boxes of objects on their image."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from vmhan.visualization.boxes import PALETTE, contact_sheet, draw_objects


@pytest.fixture
def grey() -> Image.Image:
    return Image.new("RGB", (600, 400), (128, 128, 128))


def changed(image: Image.Image, original: Image.Image) -> int:
    """Pixels that differ."""
    return int((np.asarray(image) != np.asarray(original)).any(axis=-1).sum())


def test_the_box_of_an_object_is_drawn_in_its_color(grey):
    drawn = draw_objects(grey, [{"label": "dog", "box": [100, 100, 300, 300], "score": 0.9}])
    assert drawn.getpixel((100, 200)) == ImageColor.getrgb(PALETTE[0])
    assert drawn.getpixel((200, 200)) == (128, 128, 128)
    assert grey.getpixel((100, 200)) == (128, 128, 128)


def stroke(image: Image.Image, box: list[int]) -> int:
    """Pixels of the left edge of a box, below the plate with its name."""
    row = np.asarray(image)[(box[1] + box[3]) // 2, box[0] : (box[0] + box[2]) // 2]
    return int((row != (128, 128, 128)).any(axis=-1).sum())


def test_strokes_are_as_wide_as_attention_is_large(grey):
    left, right = [50, 50, 250, 350], [300, 50, 550, 350]
    objects = [{"label": "x", "box": left, "attention": 0.2}, {"label": "z", "box": right, "attention": 0.8}]
    both, alone = draw_objects(grey, objects), draw_objects(grey, objects[:1])
    assert stroke(both, right) == pytest.approx(4 * stroke(both, left), abs=2)
    assert stroke(both, left) == stroke(alone, left), "what stands beside it changes nothing"


def test_objects_without_a_box_are_not_drawn(grey):
    assert changed(draw_objects(grey, [{"label": "image", "box": None, "attention": 1.0}]), grey) == 0


def test_no_attention_at_all_divides_by_nothing(grey):
    assert changed(draw_objects(grey, [{"label": "dog", "box": [1, 1, 50, 50], "attention": 0.0}]), grey) > 0


def test_small_images_are_enlarged_and_boxes_with_them():
    small = Image.new("RGB", (60, 40), (128, 128, 128))
    drawn = draw_objects(small, [{"label": "dog", "box": [10, 10, 30, 30]}])
    assert drawn.size == (480, 320)
    assert drawn.getpixel((80, 160)) == ImageColor.getrgb(PALETTE[0])


def test_a_long_title_takes_several_lines(grey):
    one, several = draw_objects(grey, [], "Two men"), draw_objects(grey, [], "Two men " * 30)
    assert grey.height < one.height < several.height
    assert several.width == grey.width


def test_grey_and_transparent_images_can_be_drawn_on():
    for mode in ("L", "RGBA"):
        assert draw_objects(Image.new(mode, (500, 500)), [{"label": "dog", "box": [0, 0, 9, 9]}]).mode == "RGB"


def test_a_contact_sheet_holds_every_image_and_fills_its_rows():
    wide, tall = Image.new("RGB", (100, 50), "red"), Image.new("RGB", (50, 100), "blue")
    sheet = contact_sheet([wide, tall] * 2, columns=3)
    red, blue = (((np.asarray(sheet) == color).all(axis=-1)) for color in ((255, 0, 0), (0, 0, 255)))
    first = round(3 * 480 / (2 + 0.5 + 2))  # height of a row of wide, tall, wide; of the tall one alone it is 960
    assert red.sum() == 2 * (2 * first) * first
    assert blue.sum() == (first // 2) * first + 480 * 960
    assert sheet.width == 3 * 480 + 4 * 12


def test_an_empty_sheet_is_refused():
    with pytest.raises(ValueError, match="no images"):
        contact_sheet([])
