"""The bundled detector, from folder to objects, with random weights that are made to see something."""

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file, save_file
from torchvision.ops import box_iou

from vmhan.bundled_detector import BundledDetector, fuse_normalization, save_detector
from vmhan.detector_network import DetectorNetwork, DetectorSettings
from vmhan.object_detection import DetectedObject

SETTINGS = DetectorSettings(
    classes=["person", "face"],
    stem_width=4,
    widths=[4, 8, 8, 8],
    depths=[1] * 4,
    neck_width=8,
    input_sizes=[64],
    score_threshold=0.3,
    max_detections=5,
)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    network = DetectorNetwork(SETTINGS)
    for tower in network.class_towers:
        torch.nn.init.normal_(tower[-1].weight, std=2.0)
        torch.nn.init.zeros_(tower[-1].bias)
    for _ in range(3):  # gives the norms statistics worth folding
        network(torch.rand(4, 3, 64, 64) * 255)
    save_detector(tmp_path / "detector", network, SETTINGS)
    return tmp_path / "detector"


def noise(width, height, mode="RGB"):
    generator = torch.Generator().manual_seed(width * 7 + height)
    pixels = torch.randint(256, (height, width, 3), generator=generator, dtype=torch.uint8)
    return Image.fromarray(pixels.numpy()).convert(mode)


def test_objects_are_sorted_inside_the_image_and_as_many_as_allowed(folder):
    images = [noise(100, 60), noise(333, 480)]
    for image, objects in zip(images, BundledDetector(folder).detect(images), strict=True):
        assert 0 < len(objects) <= 5
        assert all(isinstance(thing, DetectedObject) and thing.label in SETTINGS.classes for thing in objects)
        scores = [thing.score for thing in objects]
        assert scores == sorted(scores, reverse=True) and scores[-1] >= 0.3
        for x0, y0, x1, y1 in (thing.box for thing in objects):
            assert 0 <= x0 < x1 <= image.width and 0 <= y0 < y1 <= image.height


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_image_of_any_mode_is_taken(folder, mode):
    (objects,) = BundledDetector(folder).detect([noise(80, 60, mode)])
    assert objects


@pytest.mark.parametrize("size", [(1, 1), (2000, 3), (3, 2000), (3000, 2500)])
def test_image_of_any_size_is_taken(folder, size):
    (objects,) = BundledDetector(folder).detect([noise(*size)])
    assert all(0 <= x0 < x1 <= size[0] and 0 <= y0 < y1 <= size[1] for x0, y0, x1, y1 in (o.box for o in objects))


def test_no_images_have_no_objects(folder):
    assert BundledDetector(folder).detect([]) == []


def test_other_images_in_the_batch_change_nothing(folder):
    detector = BundledDetector(folder)
    images = [noise(100, 60), noise(60, 100), noise(99, 61), noise(320, 240)]
    together = detector.detect(images)
    for image, objects in zip(images, together, strict=True):
        (alone,) = detector.detect([image])
        assert [thing.label for thing in alone] == [thing.label for thing in objects]
        for one, other in zip(alone, objects, strict=True):
            assert one.box == pytest.approx(other.box, abs=1e-2) and one.score == pytest.approx(other.score, abs=1e-4)


def test_boxes_are_in_pixels_of_the_image_as_given(tmp_path):
    network = DetectorNetwork(SETTINGS)
    for tower in (*network.class_towers, *network.box_towers):  # the same everywhere, whatever the image shows
        torch.nn.init.zeros_(tower[-1].weight)
        torch.nn.init.zeros_(tower[-1].bias)
    save_detector(tmp_path, network, SETTINGS)
    small, large = BundledDetector(tmp_path).detect([noise(64, 32), noise(640, 320)])
    assert small
    assert [thing.box for thing in large] == [tuple(10 * side for side in thing.box) for thing in small]


def detector_of(folder, *sizes, **settings):
    detector = BundledDetector(folder)
    detector.settings = replace(detector.settings, input_sizes=list(sizes), **settings)
    return detector


def test_mirrored_pass_finds_in_the_image_what_a_plain_one_finds_in_its_mirror_image(folder):
    image, everything = noise(100, 60), {"overlap_threshold": 1.0, "max_detections": 10_000}
    (once,) = detector_of(folder, 64, **everything).detect([image])
    (mirror,) = detector_of(folder, 64, **everything).detect([ImageOps.mirror(image)])
    (twice,) = detector_of(folder, 64, 64, **everything).detect([image])
    back = [
        thing._replace(box=(100 - thing.box[2], thing.box[1], 100 - thing.box[0], thing.box[3])) for thing in mirror
    ]
    assert len(once) > 5 and len(back) > 5
    expected = sorted([*once, *back], key=lambda thing: -thing.score)
    assert [thing.score for thing in twice] == pytest.approx([thing.score for thing in expected], abs=1e-5)
    nearest = [min(max(map(lambda a, b: abs(a - b), one.box, two.box)) for two in expected) for one in twice]
    assert max(nearest) < 1e-2


def test_of_overlapping_boxes_of_several_passes_the_one_with_the_highest_score_stays(folder):
    image = noise(100, 60)
    (twice,) = detector_of(folder, 64, 96, max_detections=10_000).detect([image])
    alone = [
        thing for size in (64, 96) for thing in detector_of(folder, size, max_detections=10_000).detect([image])[0]
    ]
    assert 0 < len(twice) < len(alone)
    for number, one in enumerate(twice):
        for other in twice[:number]:
            apart = box_iou(torch.tensor([one.box]), torch.tensor([other.box])).item()
            assert one.label != other.label or apart <= SETTINGS.overlap_threshold


def test_folding_the_norms_changes_no_prediction():
    torch.manual_seed(0)
    network = DetectorNetwork(SETTINGS)
    network(torch.rand(4, 3, 64, 64) * 255)
    pixels = torch.rand(1, 3, 64, 64) * 255
    with torch.no_grad():
        before = network.eval()(pixels)
        after = fuse_normalization(network)(pixels)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    assert torch.allclose(before.class_logits, after.class_logits, atol=1e-4)
    assert torch.allclose(before.boxes, after.boxes, rtol=1e-3, atol=1e-3)


def test_missing_file_is_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        BundledDetector(tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        BundledDetector(folder)


def test_unknown_setting_is_named(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "smell": 3}))
    with pytest.raises(ValueError, match="smell"):
        BundledDetector(folder)


def test_weights_of_another_network_are_refused(folder):
    weights = load_file(folder / "model.safetensors")
    weights.pop("stem.0.weight")
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ValueError, match=r"stem\.0\.weight"):
        BundledDetector(folder)


def test_weights_gone_astray_are_not_saved(tmp_path):
    network = DetectorNetwork(SETTINGS)
    torch.nn.init.constant_(network.stem[0].weight, 1e6)  # more than 16 bits hold
    with pytest.raises(ValueError, match=r"stem\.0\.weight"):
        save_detector(tmp_path, network, SETTINGS)
