"""The image of a request and of tools, in the forms that users have; `test_image_inputs` has all of them."""

import base64
import io

import numpy as np
import pytest
import torch
from image_server import image_file, serve_images
from PIL import Image
from tiny import tiny_image_processor
from tiny_detectors import save_tiny_blip, save_tiny_bundled, save_tiny_rt_detr, save_tiny_yolo

from train.data.image_reader import DistinctImage, ImageReader
from train.data.selection_requests import to_request
from vmhan.detectors.loading import load_detector
from vmhan.extraction_request import read_request
from vmhan.llm.captioning import load_describer
from vmhan.llm.remote import data_url
from vmhan.visual_inputs import encode_images, visual_key
from vmhan.visualization.boxes import draw_objects

SIZE = (40, 20)


def request(**changes) -> dict:
    return {"text": "Ada met Bob in Paris", "entities": ["Ada", "Bob"], **changes}


def deep_gray(mode: str = "I;16") -> Image.Image:
    """An image of 16 bits, dark at the left and light at the right."""
    rows = np.repeat([np.linspace(0, 65535, SIZE[0]).round()], SIZE[1], axis=0)
    dtype = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
    return Image.fromarray(rows.astype(dtype))


def plain_gray() -> Image.Image:
    """The same in RGB."""
    return Image.fromarray(((np.asarray(deep_gray("I")) + 128) // 257).astype(np.uint8)).convert("RGB")


def turned(image: Image.Image) -> Image.Image:
    """The image as a file that has to be turned."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(file, "PNG", exif=exif)
    return Image.open(file)


@pytest.mark.parametrize("form", ["base64", "data URI", "bytes", "datasets", "array", "tensor", "address"])
def test_an_image_may_come_in_any_form(form):
    picture = Image.effect_noise(SIZE, 90).convert("RGB")
    file = io.BytesIO()
    picture.save(file, "PNG")
    encoded = base64.b64encode(file.getvalue()).decode()
    image = {
        "base64": encoded,
        "data URI": f"data:image/png;base64,{encoded}",
        "bytes": file.getvalue(),
        "datasets": {"bytes": file.getvalue(), "path": None},
        "array": np.asarray(picture),
        "tensor": torch.tensor(np.asarray(picture)).movedim(2, 0),
    }
    with serve_images() as server:
        read = read_request(request(image=image.get(form, f"{server.address}/image"))).image
    expected = Image.open(io.BytesIO(image_file())) if form == "address" else picture
    assert np.array_equal(read, expected)


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_grays_of_16_bits_do_not_turn_white(mode, tmp_path):
    path = tmp_path / "gray.tiff"
    Image.new(mode, SIZE, 257 * 100).save(path)
    for image in (path, Image.open(path)):
        assert read_request(request(image=image)).image.getpixel((0, 0)) == (100, 100, 100)


@pytest.mark.parametrize(
    "image, said",
    [
        (Image.new("RGB", (0, 0)), "0 x 0 pixels"),
        (np.full((4, 4), np.nan), "not all finite"),
        (np.zeros((2, 3, 4, 5)), r"shape \(2, 3, 4, 5\)"),
        ("ftp://a/b.png", "ftp://a/b.png"),
        (image_file(size=(7100, 7100), mode="1"), "up to 50 million can be read"),
    ],
)
def test_an_image_that_cannot_be_one_is_named(image, said):
    with pytest.raises(ValueError, match=said):
        read_request(request(image=image))


# Where no request is read


@pytest.fixture(scope="module", params=["bundled", "rt_detr", "yolo"])
def detector(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "yolo":
        pytest.importorskip("ultralytics")
        return load_detector(save_tiny_yolo(folder / "random.pt"))
    save = {"bundled": save_tiny_bundled, "rt_detr": save_tiny_rt_detr}[request.param]
    return load_detector(save(folder), threshold=0.0)


@pytest.mark.parametrize("given", [deep_gray(), turned(plain_gray()), np.asarray(plain_gray())])
def test_a_detector_sees_what_a_request_would_hold(detector, given):
    (expected,), (found,) = detector.detect([plain_gray()]), detector.detect([given])
    assert found and found == expected


def test_a_describer_sees_what_a_request_would_hold(tmp_path):
    describer, seen = load_describer(save_tiny_blip(tmp_path)), []
    make_pixels = describer.processor
    describer.processor = lambda images, **settings: seen.extend(images) or make_pixels(images=images, **settings)
    describer.processor.batch_decode = make_pixels.batch_decode
    describer.describe([deep_gray(), turned(plain_gray()), plain_gray()])
    assert all(np.array_equal(image, plain_gray()) for image in seen) and len(seen) == 3


def test_training_and_selection_read_grays_of_16_bits(tmp_path):
    path = str(tmp_path / "gray.png")
    deep_gray().save(path)
    read = ImageReader().read(DistinctImage(path, [], "", "train", 1))
    row = {"words": ["Ada", "Bob"], "head_span": [0, 1], "tail_span": [1, 2], "mentions": []}
    for image in ({"path": path, "bytes": None}, {"path": None, "bytes": (tmp_path / "gray.png").read_bytes()}, path):
        selected = to_request({**row, "image": image}, lambda row: {})
        assert np.array_equal(selected.image, plain_gray())
    assert np.array_equal(read, plain_gray())


def test_a_path_of_training_is_never_an_address():
    with serve_images() as server, pytest.raises(ValueError, match="does not exist"):
        ImageReader().read(DistinctImage(f"{server.address}/image", [], "", "train", 1))
    assert server.asked == []


def test_pixels_of_a_vision_encoder_are_those_of_the_upright_image():
    images = [plain_gray(), deep_gray(), turned(plain_gray())]
    pixels = encode_images(images, [[]] * 3, tiny_image_processor())["pixel_values"]
    assert torch.equal(pixels[0], pixels[1]) and torch.equal(pixels[0], pixels[2])


def test_images_that_look_alike_are_one_and_others_are_not():
    same = [visual_key({"image": image}) for image in (plain_gray(), deep_gray(), turned(plain_gray()))]
    assert len(set(same)) == 1
    first, second = (Image.new("P", SIZE) for _ in range(2))
    first.putpalette([255, 0, 0])
    second.putpalette([0, 0, 255])
    assert visual_key({"image": first}) != visual_key({"image": second})


def test_drawings_and_servers_are_given_the_upright_image():
    for image in (deep_gray(), turned(plain_gray())):
        assert np.array_equal(draw_objects(image, []), draw_objects(plain_gray(), []))
        assert data_url(image) == data_url(plain_gray())
