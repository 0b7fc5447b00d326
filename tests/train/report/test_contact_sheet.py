"""The command that draws contact sheets: detected objects, and the attention of pairs."""

import pytest
from mnre_fixture import write_mnre
from PIL import Image
from tiny import save_tiny_checkpoint
from tiny_detectors import save_tiny_bundled

from train.report.contact_sheet import first_requests, main


@pytest.fixture
def command(tmp_path):
    """Runs the command with a tiny detector and model; returns the sheet."""
    detector = save_tiny_bundled(tmp_path / "detector")
    model = save_tiny_checkpoint(tmp_path / "model", visual_features=["text", "box"])

    def run(*words) -> Image.Image:
        main(
            [
                *map(str, words),
                "--detector",
                detector,
                "--model",
                model,
                "--output",
                str(tmp_path / "out" / "sheet.png"),
            ]
        )
        return Image.open(tmp_path / "out" / "sheet.png")

    return run


def test_every_image_has_its_tile(command, tmp_path):
    for number in range(3):
        Image.new("RGB", (480, 480), "grey").save(tmp_path / f"{number}.png")
    two, three = (command(*(tmp_path / f"{n}.png" for n in range(count)), "--columns", 2) for count in (2, 3))
    assert two.width == three.width and 1.9 < three.height / two.height < 2.1


def test_an_image_of_the_data_set_comes_with_its_first_pair(command, tmp_path):
    data = write_mnre(tmp_path / "mnre", images=True)
    images = sorted((data / "images").glob("*test_0*"))
    (request,) = first_requests(data, images).values()
    assert request["text"].count("lives in") == 1 and len(request["entities"]) == 2
    known = command(*images, "--data_dir", data, "--columns", 1)
    assert known.height > 1.9 * command(*images, "--columns", 1).height


def test_the_negative_label_of_own_data_can_be_named(command, tmp_path):
    data = write_mnre(tmp_path / "own", images=True)
    for path in data.glob("mnre_*.txt"):
        path.write_text(path.read_text(encoding="utf-8").replace("'None'", "'unlinked'"), encoding="utf-8")
    image = min((data / "images").glob("*test_0*"))
    with pytest.raises(SystemExit, match="--no_relation NAME"):
        command(image, "--data_dir", data)
    assert command(image, "--data_dir", data, "--no_relation", "unlinked").height > 0


def test_a_folder_without_images_is_named(command, tmp_path):
    with pytest.raises(SystemExit, match=r"no image .* in .*empty"):
        command((tmp_path / "empty").mkdir() or tmp_path / "empty")


def test_a_broken_image_is_named(command, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(SystemExit, match=r"broken\.jpg"):
        command(tmp_path / "broken.jpg")
