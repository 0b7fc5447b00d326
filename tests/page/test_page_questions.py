"""Questions to the page: pictures are read with care, and what cannot be answered is refused kindly."""

import json
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image
from tiny import save_tiny_checkpoint
from tiny_detectors import save_tiny_blip, save_tiny_bundled, save_tiny_rt_detr

from page import detector_choices as detectors
from page.detector_choices import default_detector, detector_choices, weights_state
from page.entity_spans import suggest_entities
from page.examples.catalog import example_picture, find_example
from page.extractor import Extractor
from page.handlers import Handlers
from page.render.answer import answer_html
from page.render.downloads import answer_json
from page.request_checks import check_question, run_extraction
from page.uploads import LONGEST_SIDE, read_picture, read_upload
from vmhan.object_detection import NO_DETECTOR
from vmhan.request_limits import DEFAULT_LIMITS

ORIENTATION = 274  # the tag of a photo that tells how it was held


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), visual_features=["text", "box"])


@pytest.fixture(scope="module")
def detector(tmp_path_factory) -> str:
    return save_tiny_rt_detr(tmp_path_factory.mktemp("detector"))


# Pictures


def saved(tmp_path, picture: Image.Image, name: str, **settings) -> str:
    picture.save(tmp_path / name, **settings)
    return str(tmp_path / name)


def test_cmyk_photo_becomes_rgb(tmp_path):
    assert read_picture(saved(tmp_path, Image.new("CMYK", (30, 20), (0, 255, 255, 0)), "a.jpg")).mode == "RGB"


def test_rotated_photo_is_put_upright(tmp_path):
    photo = Image.new("RGB", (30, 20))
    exif = photo.getexif()
    exif[ORIENTATION] = 6
    assert read_picture(saved(tmp_path, photo, "a.jpg", exif=exif)).size == (20, 30)


def test_first_frame_of_an_animated_gif_is_read(tmp_path):
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    path = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    assert read_picture(path).getpixel((5, 5)) == (255, 0, 0)


def test_what_is_transparent_becomes_white(tmp_path):
    assert read_picture(saved(tmp_path, Image.new("RGBA", (9, 9)), "a.png")).getpixel((1, 1)) == (255, 255, 255)


def test_greys_of_16_bits_keep_their_brightness(tmp_path):
    path = saved(tmp_path, Image.new("I;16", (9, 9), 257 * 100), "a.png")
    assert read_picture(path).getpixel((1, 1)) == (100, 100, 100)


def test_large_picture_is_made_smaller(tmp_path):
    assert max(read_picture(saved(tmp_path, Image.new("RGB", (4000, 1000)), "a.jpg")).size) == LONGEST_SIDE


@pytest.mark.parametrize("size", [(20_000, 20_000), (12_000, 8_000)])
def test_picture_of_too_many_pixels_is_refused_unread(tmp_path, size):
    path = saved(tmp_path, Image.new("1", size), "huge.png")
    with pytest.raises(gr.Error, match="50 million"):
        read_picture(path)


@pytest.mark.parametrize("content", [b"no picture", b"", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg onload='alert(1)'/>"])
def test_file_that_is_no_picture_is_refused(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(gr.Error, match="cannot be read"):
        read_picture(tmp_path / "a.png")


def test_no_picture_is_no_error():
    assert read_upload(None) is None


# Refusals


@pytest.mark.parametrize(
    ("text", "entities", "told"),
    [
        (" ", ["a", "b"], "Write a sentence first"),
        ("Ada sleeps", ["Ada"], "needs two entities"),
        ("Ada Lovelace sleeps", [(0, 3), (0, 12)], "“Ada” and “Ada Lovelace” overlap"),
        ("Ada Lovelace sleeps", ["Ada Lovelace", "Lovelace"], "overlap"),
        ("word " * 10_000, [(0, 4), (5, 9)], "50,000 characters"),
        ("a b c d e f g h i j k l m n o p q", list("abcdefghijklmnopq"), "Up to 16"),
    ],
)
def test_question_that_cannot_be_answered_is_refused(text, entities, told):
    with pytest.raises(gr.Error, match=told):
        check_question(text, entities)


def test_limits_are_those_of_the_pipeline():
    longest, most = DEFAULT_LIMITS.max_text_length, DEFAULT_LIMITS.max_entities
    names = [f"n{number}" for number in range(10, 11 + most)]
    text = " ".join(names)
    check_question(text.ljust(longest, "."), names[:most], "." * DEFAULT_LIMITS.max_description_length)
    with pytest.raises(gr.Error, match=f"Up to {longest:,} can be read"):
        check_question(text.ljust(longest + 1, "."), names[:most])
    with pytest.raises(gr.Error, match=f"Up to {most} go at once"):
        check_question(text, names)
    with pytest.raises(gr.Error, match="This description has 2,001 characters"):
        check_question(text, names[:most], "." * 2001)


@pytest.mark.parametrize("entities", [["Ada", "Eve"], [(0, 3), (4, 900)], [(0, 3), "😀"], [{}, 3]])
def test_entities_that_are_not_there_are_refused_by_name(folder, entities):
    with pytest.raises(gr.Error, match="entity"):
        run_extraction(Extractor(folder), "Ada met Bob", entities)


def test_folder_without_weights_is_named_in_the_log_only_and_tried_again(tmp_path, caplog):
    extractor = Extractor(tmp_path)
    with pytest.raises(gr.Error, match="weights are missing or damaged") as told:
        run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"])
    assert f'No model weights (*.safetensors) in "{tmp_path}"' in caplog.text
    assert str(tmp_path) not in told.value.message
    save_tiny_checkpoint(tmp_path)
    assert len(run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"])["pairs"]) == 1


@pytest.mark.parametrize("kept", [1000, 0])
def test_damaged_weights_are_told_and_tried_again(tmp_path, kept, caplog):
    weights = Path(save_tiny_checkpoint(tmp_path)) / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:kept] or b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 47\n")
    extractor = Extractor(tmp_path)
    with pytest.raises(gr.Error, match="weights are missing or damaged"):
        run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"])
    assert "damaged, or a pointer of Git LFS" in caplog.text
    weights.write_bytes(whole)
    assert len(run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"])["pairs"]) == 1


# Detectors and describers


def test_detector_of_a_folder_finds_objects_once_for_each_picture(folder, detector):
    extractor = Extractor(folder, detector)
    picture = Image.new("RGB", (64, 48), "red")
    extractor.detect_with(detector).threshold = 0.0  # random weights are sure of nothing
    look, seen = extractor.detect_with(detector).detect, []
    extractor.detect_with(detector).detect = lambda images: seen.append(len(images)) or look(images)
    answers = [run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"], picture.copy()) for _ in range(2)]
    assert answers[0]["objects"] == answers[1]["objects"] and answers[0]["objects"][0]["box"]
    assert answers[0]["description"] == extractor.describe(picture, detector)
    assert seen == [1]


def test_progress_says_what_an_answer_waits_for(folder, detector):
    handlers, said = Handlers(Extractor(folder, detector)), []
    for picture in (None, Image.new("RGB", (64, 48)), Image.new("RGB", (64, 48), "red")):
        asked = "Ada met Bob", suggest_entities("Ada met Bob"), picture, "", detector, None, ""
        handlers.find_relations(*asked, progress=lambda share, desc: said.append(desc))
    assert said == ["Loading the model", "Loading the detector", "Looking at the picture"]


def test_describer_describes(folder, tmp_path):
    extractor = Extractor(folder, describer=save_tiny_blip(tmp_path))
    picture = Image.new("RGB", (64, 48), "red")
    words = extractor.describe(picture, NO_DETECTOR)
    answer = run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"], picture, detector=NO_DETECTOR)
    assert answer["description"] == (words or None)


def test_nothing_is_detected_without_a_picture(folder):
    extractor = Extractor(folder, "nobody/nothing")
    assert run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"])["objects"] == []


def test_detector_that_cannot_be_had_is_refused_and_its_path_goes_to_the_log(folder, tmp_path, caplog):
    with pytest.raises(gr.Error, match=r"^'The detector cannot be had now\. Choose another, or none\.'$"):
        run_extraction(Extractor(folder), "Ada met Bob", ["Ada", "Bob"], Image.new("RGB", (9, 9)),
                  detector=str(tmp_path / "gone.pt"))  # fmt: skip
    assert "gone.pt" in caplog.text


def test_bundled_detector_stands_in_and_the_visitor_is_told(folder, tmp_path, monkeypatch):
    bundled = save_tiny_bundled(tmp_path / "bundled")
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(bundled))
    said = []
    monkeypatch.setattr(gr, "Warning", said.append)
    picture, gone = Image.new("RGB", (64, 48), "red"), str(tmp_path / "gone.pt")
    answer = Handlers(Extractor(folder)).answer(
        "Ada met Bob", suggest_entities("Ada met Bob"), picture, "", gone, None
    )
    assert answer["objects"] and answer["source"] == "The bundled detector found them."
    assert said == ["The detector cannot be had now, so the bundled detector looks at the picture."]


def test_bundled_detector_is_the_default_as_soon_as_it_is_there(monkeypatch):
    monkeypatch.setattr(detectors, "has_weights", lambda name: False)
    assert default_detector(None) == NO_DETECTOR and "missing here" in weights_state("bundled")
    monkeypatch.setattr(detectors, "has_weights", lambda name: True)
    assert default_detector(None) == "bundled" and "on this machine" in weights_state("bundled")
    assert default_detector("yolov3u") == "yolov3u"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (NO_DETECTOR, "Nothing looks"),
        ("yolov3u", "downloaded from ultralytics"),
        ("PekingU/rtdetr_v2_r18vd", "downloaded from the Hub"),
        ("/nowhere/mine.pt", "not at the path"),
    ],
)
def test_state_of_weights_is_told_in_words(name, told, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert told in weights_state(name)


def test_visitors_choose_among_names_and_see_no_path(detector):
    labels = [label for label, _ in detector_choices(detector)]
    assert len(labels) == 6 and not any("/" in label for label in labels)


def test_example_in_which_nothing_is_detected_shows_what_we_marked(folder, tmp_path, monkeypatch):
    example = find_example("wedding")
    picture = example_picture(example)
    handlers = Handlers(Extractor(folder))
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(save_tiny_bundled(tmp_path / "bundled")))
    asked = example.sentence, suggest_entities(example.sentence), picture, example.description
    found = handlers.answer(*asked, "bundled", example.slug)
    assert found["source"] == "The bundled detector found them."
    handlers.extractor.detect_with("bundled").settings.score_threshold = 1.0
    handlers.extractor.cache._results.clear()
    marked = handlers.answer(*asked, "bundled", example.slug)
    assert marked["source"] == "Marked by us for this example."
    assert [item["label"] for item in marked["objects"]] == [label for label, _ in example.marked]


def test_a_city_and_a_person_named_after_it_do_not_overlap():
    check_question("Paris Hilton in Paris", ["Paris", "Paris Hilton"])
    check_question("Bob met Bob", ["Bob", "Bob"])


@pytest.mark.parametrize("none", ["None", "NA"])
def test_pairs_without_a_relation_are_told_by_the_models_own_label(tmp_path, none):
    names = [none, "works_for"]
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    extractor = Extractor(save_tiny_checkpoint(tmp_path, no_relation=none, **labels))
    extractor.pipeline.model.classifier.bias.data[0] += 50  # so that no pair has one
    answer = Handlers(extractor).answer("Ada met Bob", suggest_entities("Ada met Bob"), None, "", NO_DETECTOR, None)
    (pair,) = answer["pairs"]
    assert pair["relation"] == none
    shown = answer_html(answer, 0)
    assert "No relation in 1 pair" in shown and "no relation" in shown and "marker-end" not in shown
    (kept,) = json.loads(answer_json(answer))["pairs"]
    assert kept == {key: value for key, value in pair.items() if key != "related"}
