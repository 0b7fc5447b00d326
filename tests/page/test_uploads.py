"""Uploads: their paths, wherever Gradio keeps them, and their images."""

import os
from pathlib import Path
from urllib.parse import quote

import gradio as gr
import pytest
from gradio.data_classes import ImageData
from PIL import Image

from page.uploads import LONGEST_SIDE, check_files, read_image, read_upload, resolve_upload

DIGEST = "0a" * 32
ORIENTATION = 274  # the EXIF tag of how a photo was held


@pytest.fixture
def uploads(tmp_path, monkeypatch) -> Path:
    """The upload folder, with one image in it."""
    folder = tmp_path / "uploads"
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    store(folder)
    return folder


def store(folder: Path) -> Path:
    """An image where Gradio would put it."""
    path = folder / DIGEST / "a.png"
    path.parent.mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(path)
    return path


def test_upload_is_found_by_its_path(uploads):
    assert resolve_upload(f"{uploads}/{DIGEST}/a.png") == uploads.resolve() / DIGEST / "a.png"
    assert read_upload(ImageData(path=f"{uploads}/{DIGEST}/a.png")).size == (9, 9)


def test_upload_is_found_in_a_folder_that_is_a_link_or_relative(uploads, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(uploads)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "link"))
    for path in (tmp_path / "link" / DIGEST / "a.png", uploads / DIGEST / "a.png"):
        assert resolve_upload(str(path)).is_file()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADIO_TEMP_DIR", "uploads")
    for path in (f"uploads/{DIGEST}/a.png", os.path.abspath(f"uploads/{DIGEST}/a.png")):
        assert resolve_upload(path).is_file()
    with pytest.raises(gr.Error, match="was not uploaded"):
        resolve_upload(f"other/../uploads/{DIGEST}/a.png")


def test_other_files_of_a_shared_upload_folder_are_no_uploads(uploads):
    """Whoever runs the page may have set the folder to one that holds more."""
    (uploads / "letters").mkdir()
    for path in (uploads / "letter.png", uploads / "letters" / "a.png", uploads / DIGEST.upper() / "a.png"):
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (9, 9)).save(path)
        with pytest.raises(gr.Error, match="was not uploaded"):
            resolve_upload(str(path))


def test_links_and_pipes_among_uploads_are_none(uploads, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    (uploads / DIGEST / "link.png").symlink_to(tmp_path / "secret.png")
    os.mkfifo(uploads / DIGEST / "pipe.png")
    for name in ("link.png", "pipe.png"):
        with pytest.raises(gr.Error, match="was not uploaded"):
            resolve_upload(f"{uploads}/{DIGEST}/{name}")


def test_upload_that_was_deleted_meanwhile_is_asked_for_again(uploads):
    (uploads / DIGEST / "a.png").unlink()
    with pytest.raises(gr.Error, match=r"“a\.png” is not kept here any more"):
        resolve_upload(f"{uploads}/{DIGEST}/a.png")


def test_image_is_not_read_by_a_path_that_nobody_has_checked(uploads, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    with pytest.raises(gr.Error, match="was not uploaded"):
        read_upload(ImageData(path=str(tmp_path / "secret.png")))


def test_files_are_found_however_deep_they_lie(uploads):
    nested = {"path": "/etc/passwd"}
    for _ in range(50_000):
        nested = [nested]
    with pytest.raises(gr.Error, match=r"“/etc/passwd” was not uploaded"):
        check_files([None, "text", nested])
    check_files([None, "/etc/passwd is text here", {"entity": "path"}, [[0, 3], "Ada"]])


def test_address_of_an_upload_is_that_under_which_the_page_serves_it(uploads):
    path = uploads / DIGEST / "50% off? yes.png"
    Image.new("RGB", (9, 9)).save(path)
    served = f"/gradio_api/file={quote(str(path))}"
    for address in (
        served,
        f"https://ada-space.hf.space{served}",
        f"http://localhost:7860{served}?__sign=e.y.J",
        "",
        None,
    ):
        check_files([{"path": str(path), "url": address}])
    for address in (f"{served}.exe", f"http://example.com/?x={served}", f"file://{path}", "javascript:alert(1)", 7):
        with pytest.raises(gr.Error, match="does not fetch addresses"):
            check_files([{"path": str(path), "url": address}])


# Images


def saved(tmp_path, image: Image.Image, name: str, **settings) -> str:
    image.save(tmp_path / name, **settings)
    return str(tmp_path / name)


def test_cmyk_photo_becomes_rgb(tmp_path):
    assert read_image(saved(tmp_path, Image.new("CMYK", (30, 20), (0, 255, 255, 0)), "a.jpg")).mode == "RGB"


def test_rotated_photo_is_put_upright(tmp_path):
    photo = Image.new("RGB", (30, 20))
    exif = photo.getexif()
    exif[ORIENTATION] = 6
    assert read_image(saved(tmp_path, photo, "a.jpg", exif=exif)).size == (20, 30)


def test_first_frame_of_an_animated_gif_is_read(tmp_path):
    frames = [Image.new("RGB", (30, 20), color) for color in ("red", "blue")]
    path = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    assert read_image(path).getpixel((5, 5)) == (255, 0, 0)


def test_what_is_transparent_becomes_white(tmp_path):
    assert read_image(saved(tmp_path, Image.new("RGBA", (9, 9)), "a.png")).getpixel((1, 1)) == (255, 255, 255)


def test_greys_of_16_bits_keep_their_brightness(tmp_path):
    path = saved(tmp_path, Image.new("I;16", (9, 9), 257 * 100), "a.png")
    assert read_image(path).getpixel((1, 1)) == (100, 100, 100)


def test_large_image_is_made_smaller(tmp_path):
    assert max(read_image(saved(tmp_path, Image.new("RGB", (4000, 1000)), "a.jpg")).size) == LONGEST_SIDE


@pytest.mark.parametrize("size", [(20_000, 20_000), (12_000, 8_000)])
def test_image_of_too_many_pixels_is_refused_unread(tmp_path, size):
    path = saved(tmp_path, Image.new("1", size), "huge.png")
    with pytest.raises(gr.Error, match="50 million"):
        read_image(path)


@pytest.mark.parametrize("content", [b"no image", b"", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg onload='alert(1)'/>"])
def test_file_that_is_no_image_is_refused(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(gr.Error, match="cannot be read"):
        read_image(tmp_path / "a.png")


def test_no_image_is_no_error():
    assert read_upload(None) is None
