"""Every form in which an image comes in gives the same upright RGB pixels."""

import base64
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from image_server import image_file
from PIL import Image

from vmhan.image_decoding import FORMATS, MAX_PIXELS
from vmhan.image_inputs import load_image_input, load_inline_images

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREYS = np.array([[0, 257, 25700], [32768, 40000, 65535]], dtype=np.uint16)
SEEN = [[0, 1, 100], [128, 156, 255]]  # of GREYS, divided by 257


def saved(image: Image.Image, kind: str = "PNG", **settings) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


PNG = saved(Image.fromarray(PIXELS))


def seen(image, **settings) -> np.ndarray:
    read = load_image_input(image, **settings)
    assert read.mode == "RGB"
    return np.asarray(read)


def gray(image) -> list[list[int]]:
    pixels = seen(image)
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0].tolist()


# Forms


def as_file(tmp_path: Path, image: bytes = PNG, name: str = "a.png") -> Path:
    (tmp_path / name).write_bytes(image)
    return tmp_path / name


def read_before(file: io.BytesIO) -> io.BytesIO:
    file.read()
    return file


def zipped(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", PNG)
    return zipfile.ZipFile(tmp_path / "a.zip").open("a.png")


FORMS = {
    "path": lambda tmp_path: str(as_file(tmp_path)),
    "PathLike": as_file,
    "path without a suffix": lambda tmp_path: str(as_file(tmp_path, name="abcd")),
    "path with a colon": lambda tmp_path: str(as_file(tmp_path, name="ab:cd.png")),
    "bytes": lambda _: PNG,
    "bytearray": lambda _: bytearray(PNG),
    "memoryview": lambda _: memoryview(PNG),
    "binary file in memory": lambda _: io.BytesIO(PNG),
    "binary file that was read before": lambda _: read_before(io.BytesIO(PNG)),
    "open binary file": lambda tmp_path: as_file(tmp_path).open("rb"),
    "open file in a zip": lambda tmp_path: zipped(tmp_path),
    "base64": lambda _: base64.b64encode(PNG).decode(),
    "base64 of a JPEG's beginning": lambda _: base64.encodebytes(PNG).decode(),
    "base64 without padding": lambda _: base64.b64encode(PNG).decode().rstrip("="),
    "base64 of addresses": lambda _: base64.urlsafe_b64encode(PNG).decode(),
    "data URI": lambda _: "data:image/png;base64," + base64.b64encode(PNG).decode(),
    "data URI in capitals": lambda _: "DATA:image/png;BASE64," + base64.encodebytes(PNG).decode(),
    "data URI in percents": lambda _: "data:image/png," + "".join(f"%{byte:02x}" for byte in PNG),
    "datasets, bytes": lambda _: {"bytes": PNG, "path": None},
    "datasets, bytes and a name": lambda _: {"bytes": PNG, "path": "not-here.png"},
    "datasets, path": lambda tmp_path: {"bytes": None, "path": str(as_file(tmp_path))},
    "PIL": lambda _: Image.fromarray(PIXELS),
    "PIL, not decoded yet": lambda _: Image.open(io.BytesIO(PNG)),
    "array": lambda _: PIXELS,
    "array of int64": lambda _: PIXELS.astype(np.int64),
    "array of floats": lambda _: PIXELS / 255,
    "array of half floats": lambda _: (PIXELS / 255).astype(np.float16),
    "array of 16 bits": lambda _: PIXELS.astype(np.uint16) * 257,
    "array not contiguous": lambda _: np.asfortranarray(PIXELS),
    "tensor (C, H, W)": lambda _: torch.tensor(PIXELS).movedim(2, 0),
    "tensor (H, W, C)": lambda _: torch.tensor(PIXELS),
    "tensor of floats": lambda _: torch.tensor(PIXELS).movedim(2, 0) / 255,
    "tensor with a gradient": lambda _: (torch.tensor(PIXELS).movedim(2, 0) / 255).requires_grad_(),
    "tensor of 16 bits": lambda _: torch.tensor(PIXELS.astype(np.uint16) * 257),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_image_of_every_form_gives_its_pixels(form, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(seen(FORMS[form](tmp_path)), PIXELS)


def test_a_tensor_of_bfloat16_is_read():
    assert np.abs(seen(torch.tensor(PIXELS / 255).bfloat16()).astype(int) - PIXELS).max() <= 1


def test_base64_that_begins_like_a_path_is_no_path():
    jpeg = saved(Image.fromarray(PIXELS), "JPEG")
    assert base64.b64encode(jpeg).decode().startswith("/9j/")
    assert np.array_equal(seen(base64.b64encode(jpeg).decode()), seen(jpeg))


def test_a_string_that_names_a_file_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = base64.b64encode(b"BM" + bytes(10)).decode()
    as_file(tmp_path, name=name)
    assert np.array_equal(seen(name), PIXELS)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_of_every_format_is_read(kind):
    file = saved(Image.new("RGB", (9, 6), (0, 0, 255)), kind)
    assert np.abs(seen(file).astype(int) - (0, 0, 255)).max() <= 3


def test_a_photo_of_several_parts_as_phones_take_them_is_read():
    assert load_image_input(saved(Image.new("RGB", (9, 6)), "MPO")).size == (9, 6)


# Modes


@pytest.mark.parametrize("mode", Image.MODES)
def test_every_mode_is_read(mode):
    assert load_image_input(Image.new(mode, (9, 6))).mode == "RGB"


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grays_of_16_bits_in_a_file_keep_their_brightness(kind, tmp_path):
    file = saved(Image.fromarray(GREYS), kind)
    assert Image.open(io.BytesIO(file)).mode == "I;16"
    assert gray(file) == gray(as_file(tmp_path, file)) == SEEN


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B", "I;16N"])
def test_grays_of_16_bits_of_every_order_keep_their_brightness(mode):
    order = ">u2" if mode == "I;16B" else "<u2"
    image = Image.frombytes(mode, (3, 2), GREYS.astype(order).tobytes())
    assert gray(image) == SEEN


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
@pytest.mark.parametrize("kind", [None, "TIFF"])
def test_grays_of_32_bits_keep_their_brightness(dtype, kind):
    image = Image.fromarray(GREYS.astype(dtype))
    assert image.mode in ("I", "F")
    assert gray(saved(image, kind) if kind else image) == SEEN


@pytest.mark.parametrize("mode", ["I", "F"])
def test_grays_of_8_bits_in_a_wider_mode_stay(mode):
    image = Image.fromarray(PIXELS[..., 0])
    assert gray(image.convert(mode)) == gray(image) == PIXELS[..., 0].tolist()


def test_floats_from_0_to_1_reach_from_black_to_white():
    assert gray(Image.fromarray(np.array([[0, 0.5, 1]], np.float32))) == [[0, 128, 255]]


def test_the_transparent_gray_of_16_bits_becomes_white():
    file = saved(Image.fromarray(GREYS), "PNG", transparency=25700)
    assert gray(file) == [[0, 1, 255], [128, 156, 255]]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "RGBa", "La"])
def test_what_is_transparent_becomes_white(mode):
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    if mode == "La":
        image = image.convert("LA")
    elif mode == "PA":
        image = image.convert("P").convert("PA")
        image.putalpha(Image.fromarray(np.array([[0, 255]], np.uint8)))
    assert gray(image.convert(mode)) == [[255, 0]]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_the_transparent_color_of_a_file_becomes_white(mode):
    image = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("RGB").convert(mode)
    key = {"RGB": (0, 0, 0), "P": image.getpixel((0, 0))}.get(mode, 0)
    assert gray(saved(image, "PNG", transparency=key)) == [[255, 255]]


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "P", "YCbCr"])
def test_colors_stay_those_of_pillow(mode):
    image = Image.fromarray(PIXELS).convert(mode)
    assert np.array_equal(seen(image), np.asarray(image.convert("RGB")))


def test_an_image_is_turned_as_its_exif_data_say():
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    photo = saved(Image.fromarray(PIXELS), exif=exif)
    turned = np.rot90(PIXELS, -1)
    assert np.array_equal(seen(photo), turned) and np.array_equal(seen(Image.open(io.BytesIO(photo))), turned)
    deep = saved(Image.fromarray(GREYS), exif=exif)
    assert gray(deep) == np.rot90(SEEN, -1).tolist()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_read(kind):
    frames = [Image.new("RGB", (9, 6), color) for color in ("red", "blue")]
    settings = {"lossless": True} if kind == "WEBP" else {}
    file = saved(frames[0], kind, save_all=True, append_images=frames[1:], **settings)
    assert Image.open(io.BytesIO(file)).n_frames == 2
    assert (seen(file) == (255, 0, 0)).all()


# Arrays


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[0, 100, 255]], np.uint8), [[0, 100, 255]]),
        (np.array([[[0], [100], [255]]], np.uint8), [[0, 100, 255]]),
        (np.array([[True, False]]), [[255, 0]]),
        (GREYS, SEEN),
        (GREYS.astype(">u2"), SEEN),
        (np.full((1, 1), 255, np.uint16), [[1]]),
        (np.array([[0.0, 0.5, 1.0005]]), [[0, 128, 255]]),
        (np.array([[0.0, 99.6, 255.0]]), [[0, 100, 255]]),
        (np.array([[0.0, 100.0, 255.0]], np.float16), [[0, 100, 255]]),
        (torch.tensor([[0.0, 0.4, 254.9]]), [[0, 0, 255]]),
        (np.array([[[0, 0, 0, 0], [0, 0, 0, 255]]], np.uint8), [[255, 0]]),
        (torch.tensor([[0, 100, 255]], dtype=torch.uint8), [[0, 100, 255]]),
        (torch.tensor([[[0, 100, 255]]], dtype=torch.uint8), [[0, 100, 255]]),
        (torch.tensor([[True, False]]), [[255, 0]]),
        (torch.zeros(4, 2, 5), [[255] * 5] * 2),
    ],
)
def test_arrays_and_tensors_of_one_channel_or_four_are_read(array, expected):
    assert gray(array) == expected


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((5,)), r"array .* shape \(5,\)"),
        (np.zeros((2, 5, 5, 3)), r"shape \(2, 5, 5, 3\)"),
        (np.zeros((5, 5, 2)), r"shape \(5, 5, 2\)"),
        (np.zeros((3, 5, 7)), r"shape \(3, 5, 7\).*channels last"),
        (np.zeros((0, 5, 3)), r"shape \(0, 5, 3\)"),
        (np.zeros((5, 0)), r"shape \(5, 0, 1\)"),
        (np.array(3), r"shape \(\)"),
        (np.full((2, 2), np.nan), "float64 values are not all finite"),
        (np.full((2, 2), np.inf), "not all finite"),
        (np.array([[0.0, 256.0]]), r"float64 values go from 0\.0 to 256\.0.*floats in 0 to 1 or 255"),
        (np.array([[-1.0, 200.0]]), r"float64 values go from -1\.0 to 200\.0"),
        (np.array([[np.nan, 200.0]]), "not all finite"),
        (np.array([[-1.0, 1.0]]), r"go from -1\.0 to 1\.0"),
        (np.array([[-1, 1]]), "int64 values go from -1 to 1"),
        (np.array([[0, 70_000]]), "go from 0 to 70000"),
        (np.array([[1j]]), "complex128"),
        (np.array([["a"]]), "<U1"),
        (np.array([[None]]), "object"),
        (torch.zeros(2, 3, 5, 5), r"tensor .*shape \(2, 3, 5, 5\)"),
        (torch.zeros(0, 0), "tensor .*shape"),
        (torch.full((3, 5, 5), torch.nan), "not all finite"),
        (torch.zeros(5, 5, device="meta"), "tensor that cannot be read"),
    ],
)
def test_an_array_that_is_no_image_is_named(array, said):
    with pytest.raises(ValueError, match=said):
        load_image_input(array)


# What is refused


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_an_image_without_pixels_is_refused(size):
    with pytest.raises(ValueError, match=f"{size[0]} x {size[1]} pixels"):
        load_image_input(Image.new("RGB", size))


@pytest.mark.parametrize("values", [[[np.nan, 1]], [[-5, 200]], [[0, 1e6]]])
def test_floats_out_of_range_are_refused(values):
    with pytest.raises(ValueError, match="The image given cannot be read"):
        load_image_input(Image.fromarray(np.array(values, np.float32)))


@pytest.mark.parametrize("address", ["ftp://a/b.png", "FILE:///etc/hostname", "file:/a.png", "s3://a/b", "zip://a::b"])
def test_an_address_of_another_scheme_is_refused_by_name(address):
    with pytest.raises(ValueError, match="no file, and no address that can be read") as error:
        load_image_input(address)
    assert address in str(error.value)


@pytest.mark.parametrize("name", ["missing.jpg", "images/photo", ".", "", "a\0b.png", "C:\\photo.png", "abcd" * 100])
def test_a_string_that_is_neither_file_nor_image_is_named(name):
    with pytest.raises(FileNotFoundError, match="does not exist as a file, and is no base64 of an image") as error:
        load_image_input(name)
    assert repr(name[:60])[1:-1] in str(error.value) and len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (3, "image is a int; give a path, an http or https address"),
        (None, "image is a NoneType"),
        ([PNG], "image is a list"),
        (io.StringIO("no image"), 'was opened as text; open it with mode "rb"'),
        (io.BytesIO(b"no image"), "given as bytes cannot be read"),
        (io.BytesIO(), "given as bytes cannot be read"),
        ({"bytes": None, "path": None}, r"image is a dict of .*'path': 'NoneType'"),
        ({}, r"image is a dict of {}"),
        (b"", "given as bytes cannot be read"),
        (b"no image", "given as bytes cannot be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "its format is not recognized"),
        (PNG[:60], "given as bytes cannot be read"),
        (base64.b64encode(PNG[:60]).decode(), "given as base64 cannot be read"),
        ("data:image/png;base64,????", "neither base64 nor a data URI"),
        ("data:image/png", "neither base64 nor a data URI"),
        ("data:text/plain,hello", "given as a data URI cannot be read"),
    ],
)
def test_what_is_no_image_is_named(image, said):
    with pytest.raises(ValueError, match=said):
        load_image_input(image)


@pytest.mark.parametrize("size", [(7100, 7100), (20_000, 20_000)])
def test_a_small_file_of_many_pixels_is_refused_unread(size, tmp_path):
    bomb = image_file(size=size, mode="1")
    assert len(bomb) < 100_000
    for image in (bomb, as_file(tmp_path, bomb), base64.b64encode(bomb).decode(), {"bytes": bomb, "path": None}):
        with pytest.raises(ValueError, match=r"pixels; up to 50 million can be read\. Make it smaller"):
            load_image_input(image)


def test_the_most_pixels_are_the_callers_choice():
    assert load_image_input(PNG, max_pixels=35).size == (7, 5)
    with pytest.raises(ValueError, match=r"has 7 x 5 pixels; up to 34 can be read"):
        load_image_input(PNG, max_pixels=34)


# What others send


@pytest.mark.parametrize(
    "image", [PNG, bytearray(PNG), base64.b64encode(PNG).decode(), Image.fromarray(PIXELS), FORMS["data URI"](None)]
)
def test_an_image_that_someone_sends_is_read(image):
    sent, nothing = load_inline_images([image, None])
    assert np.array_equal(np.asarray(sent), PIXELS) and nothing is None


ADDRESSES = ["http://127.0.0.1:9/a.png", "HTTPS://a/b", "ftp://a/b", "file:///etc/hostname", " File:/etc/hostname"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_fetched_for_someone_else(address, monkeypatch):
    monkeypatch.setattr("vmhan.image_inputs.download_image", lambda _: pytest.fail("fetched"))
    with pytest.raises(ValueError, match="nothing is fetched or opened here") as error:
        load_inline_images([address])
    assert address in str(error.value)


@pytest.mark.parametrize("form", ["path", "PathLike", "datasets, path", "datasets, bytes"])
def test_no_file_is_opened_for_someone_else(form, tmp_path):
    with pytest.raises(ValueError, match=r"neither base64|image is a \w+; send base64"):
        load_inline_images([FORMS[form](tmp_path)])


def test_a_name_that_could_be_base64_opens_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    as_file(tmp_path, name="abcd")
    assert np.array_equal(seen("abcd"), PIXELS)
    with pytest.raises(ValueError, match="given as base64 cannot be read"):
        load_inline_images(["abcd"])


def test_pixels_of_all_that_someone_sends_are_counted_together():
    assert len(load_inline_images([PNG, PNG], max_pixels=70)) == 2
    for images in ([PNG, PNG], [PNG, Image.fromarray(PIXELS)]):
        with pytest.raises(ValueError, match="up to 34 can be read") as error:
            load_inline_images(images, max_pixels=69)
        notes = " ".join(error.value.__notes__)
        assert "image of request 1" in notes and "share 69 pixels; send them one by one" in notes


def test_too_large_a_file_is_refused_unread():
    with pytest.raises(ValueError, match="larger than 20 MB"):
        load_inline_images([bytes(20_000_001)])


def test_the_limit_of_pixels_is_that_of_the_page_too(tmp_path):
    gr = pytest.importorskip("gradio")
    from page.uploads import read_image

    with pytest.raises(gr.Error, match=f"{MAX_PIXELS // 1_000_000} million"):
        read_image(as_file(tmp_path, image_file(size=(7100, 7100), mode="1")))
