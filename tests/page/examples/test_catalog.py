"""The examples of the page."""

from page.examples.canvas import SIZE
from page.examples.catalog import EXAMPLES, example_image, marked_objects


def test_there_are_six_examples_one_of_them_without_an_image():
    assert len(EXAMPLES) == len({example.slug for example in EXAMPLES}) == 6
    assert sum(example.drawing is None for example in EXAMPLES) == 1


def test_marked_boxes_are_within_their_images():
    for example in EXAMPLES:
        image = example_image(example)
        if image is not None:
            for item in marked_objects(example, image.size):
                left, top, right, bottom = item["box"]
                assert 0 <= left < right <= image.width and 0 <= top < bottom <= image.height


def test_photographs_that_are_not_installed_are_drawn(monkeypatch):
    monkeypatch.setattr("page.examples.catalog.find_spec", lambda name: None)
    drawn = [example_image(example) for example in EXAMPLES if example.photo]
    assert len(drawn) == 3 and all(image.size == SIZE for image in drawn)
