"""Images and what boxes cut out of them."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import tiny_image_processor, tiny_processor

from vmhan import VMHANProcessor
from vmhan.visual_inputs import crop_object, encode_images

TEXT, MENTIONS, PAIRS = "Ada met Bob", [(0, 3), (8, 11)], [(0, 1), (1, 0)]
MAN, DOG = {"label": "man", "box": (0.25, 0.5, 0.5, 1.0)}, {"label": "dog", "box": (0.5, 0.5, 0.5, 0.5)}


def draw_image(width=8, height=4, seed=0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def encode(images, **settings):
    processor = tiny_processor(image_processor=tiny_image_processor(), **settings)
    count = len(images)
    return processor([TEXT] * count, [MENTIONS] * count, [PAIRS] * count, images)


@pytest.mark.parametrize(
    "box, corners",
    [
        ((0.5, 0.5, 1.0, 1.0), (0, 0, 8, 4)),
        ((0.25, 0.5, 0.5, 1.0), (0, 0, 4, 4)),
        ((0.3, 0.5, 0.1, 0.25), (2, 1, 3, 3)),  # whole pixels
        ((1.0, 1.0, 0.0, 0.0), (7, 3, 8, 4)),  # one at least
        ((0.0, 0.0, 0.5, 0.5), (0, 0, 2, 1)),  # nothing outside
        ((1 / 3, 0.5, 1 / 4 + 1e-7, 1.0), (1, 0, 4, 4)),
    ],
)
def test_a_box_cuts_out_the_pixels_it_touches(box, corners):
    assert np.array_equal(crop_object(draw_image(), box), draw_image().crop(corners))


def test_row_zero_is_the_image_and_the_others_what_its_boxes_hold():
    batch = encode([{"image": draw_image(), "objects": [MAN, DOG]}])
    pixels = [draw_image(), draw_image().crop((0, 0, 4, 4)), draw_image().crop((2, 1, 6, 3))]
    expected = tiny_image_processor()(pixels, return_tensors="pt")["pixel_values"]
    assert batch["pixel_values"].shape == (1, 3, 3, 16, 16)
    assert torch.equal(batch["pixel_values"][0], expected) and batch["visual_state_mask"].all()


def test_what_is_not_seen_is_masked():
    unseen = {"label": "sky"}
    images = [{"image": draw_image(), "objects": [MAN, unseen]}, {"description": "fog", "objects": [MAN]}]
    batch = encode(images)
    assert batch["visual_state_mask"].tolist() == [[True, True, False], [False, False, False]]
    assert not batch["pixel_values"][0, 2].any() and not batch["pixel_values"][1].any()
    assert batch["object_mask"].tolist() == [[True, True], [True, False]]


def test_an_image_without_objects_is_one_row():
    batch = encode([{"image": draw_image()}])
    assert batch["pixel_values"].shape == (1, 1, 3, 16, 16) and batch["object_mask"].shape == (1, 0)


def test_equal_images_are_one_image_and_others_are_not():
    images = [{"image": draw_image(seed=seed), "objects": [MAN]} for seed in (0, 1, 0)]
    batch = encode([*images, None, {"image": draw_image(seed=0)}])
    assert batch["pair_image"].tolist() == [0, 0, 1, 1, 0, 0, -1, -1, 2, 2]
    assert len(batch["pixel_values"]) == 3


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_an_image_of_any_mode_becomes_rgb(mode):
    given = draw_image().convert(mode)
    batch, expected = (
        encode([{"image": given, "objects": [MAN]}]),
        encode([{"image": given.convert("RGB"), "objects": [MAN]}]),
    )
    assert torch.equal(batch["pixel_values"], expected["pixel_values"])


def test_only_the_crops_of_kept_objects_are_made():
    batch = encode([{"image": draw_image(), "objects": [MAN, DOG, MAN, DOG]}], max_objects=1)
    assert batch["pixel_values"].shape[1] == 2


def test_states_come_in_place_of_pixels():
    images = [
        {"visual_states": torch.randn(3, 5), "objects": [MAN, DOG]},
        {"visual_states": np.ones((1, 5), np.float16), "objects": []},
        {"description": "fog"},
    ]
    batch = encode(images)
    assert batch["visual_states"].dtype == torch.float32 and "pixel_values" not in batch
    assert torch.equal(batch["visual_states"][0], images[0]["visual_states"])
    assert batch["visual_state_mask"].tolist() == [[True] * 3, [True, False, False], [False] * 3]


def test_equal_states_are_one_image():
    states = torch.randn(1, 5)
    batch = encode([{"visual_states": states}, {"visual_states": states.clone()}, {"visual_states": states + 1}])
    assert batch["pair_image"].tolist() == [0, 0, 0, 0, 1, 1]


def test_states_are_cut_with_the_objects():
    states = torch.randn(4, 5)
    batch = encode([{"visual_states": states, "objects": [MAN, DOG, MAN]}], max_objects=2)
    assert torch.equal(batch["visual_states"][0], states[:3])


@pytest.mark.parametrize(
    "images, message",
    [
        ([{"visual_states": torch.ones(2, 5)}], r"shape \(2, 5\).* 0 objects"),
        ([{"visual_states": torch.ones(5)}], r"shape \(5,\)"),
        ([{"visual_states": torch.ones(1, 5)}, {"image": draw_image()}], "one or the other"),
    ],
)
def test_states_that_do_not_fit_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        encode(images)


def test_an_image_without_an_image_processor_is_refused():
    with pytest.raises(ValueError, match=r"no image_processor.*from_text_vision_pretrained"):
        encode_images([draw_image()], [[]], None)


def test_a_reloaded_processor_makes_the_same_pixels(tmp_path):
    images = [{"image": draw_image(), "objects": [MAN]}]
    tiny_processor(image_processor=tiny_image_processor(), max_objects=2).save_pretrained(tmp_path)
    again = VMHANProcessor.from_pretrained(tmp_path)
    assert again.max_objects == 2
    batch = again([TEXT], [MENTIONS], [PAIRS], images)
    assert torch.equal(batch["pixel_values"], encode(images)["pixel_values"])


def test_a_processor_without_an_image_processor_says_nothing_of_it(tmp_path):
    tiny_processor().save_pretrained(tmp_path)
    assert "image_processor" not in (tmp_path / "processor_config.json").read_text(encoding="utf-8")
    assert VMHANProcessor.from_pretrained(tmp_path).image_processor is None
