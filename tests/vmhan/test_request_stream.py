"""Several requests: what they may come as, and what becomes of those that are wrong."""

import copy
import itertools
import pickle

import datasets
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from test_pair_chunks import assert_same
from tiny import save_tiny_checkpoint, tiny_image_processor, tiny_model, tiny_processor, tiny_vgg_config
from tiny_detectors import save_tiny_bundled
from transformers import pipeline
from transformers.pipelines.pt_utils import KeyDataset

from vmhan.extraction_request import read_request
from vmhan.image_cache import ImageCache
from vmhan.registrations import TASK

TEXT = "Ada met Bob in Paris"
REQUEST = {"text": TEXT, "entities": ["Ada", "Bob", "Paris"]}
OTHER = {"text": "Dan likes Eve", "entities": ["Dan", "Eve"], "description": "A dog.", "id": "b"}
WRONG = {"text": TEXT, "entities": ["Ada", "Zoe"], "id": "c"}
BOXED = {"box": [10, 5, 30, 15]}  # an object without a label, which a model of text alone knows nothing of
UNKNOWN = {"text": TEXT, "entities": ["Ada", BOXED], "image": Image.new("RGB", (40, 20)), "id": "d"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), entity_markers="shared", entity_pool="mean_marker")


@pytest.fixture(scope="module")
def extract(folder):
    return pipeline(TASK, model=folder)


@pytest.fixture(scope="module")
def expected(extract):
    return [extract(REQUEST), extract(OTHER)]


# What requests may come as


class MapStyle(torch.utils.data.Dataset):
    """A data set of torch, which has no end of its own."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return [REQUEST, OTHER][index % 2]


class Streaming(torch.utils.data.IterableDataset):
    def __iter__(self):
        return iter([REQUEST, OTHER])


ROWS = [{**REQUEST, "description": None, "id": None}, OTHER]
FRAME = pd.DataFrame([REQUEST, OTHER])  # NaN where the first has no description and no id


@pytest.mark.parametrize(
    "requests",
    [[REQUEST, OTHER], (REQUEST, OTHER), FRAME, FRAME.convert_dtypes(), FRAME.set_index(pd.Index([7, 8]))],
    ids=["list", "tuple", "DataFrame", "DataFrame with NA", "DataFrame with an index"],
)
def test_requests_that_are_all_there_give_a_list(requests, extract, expected):
    answers = extract(requests, batch_size=2)
    assert isinstance(answers, list)
    assert_same(answers, expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda: iter([REQUEST, OTHER]),
        lambda: (one for one in [REQUEST, OTHER]),
        lambda: map(dict, [REQUEST, OTHER]),
        lambda: {1: REQUEST, 2: OTHER}.values(),
        lambda: datasets.Dataset.from_list(ROWS),
        lambda: datasets.Dataset.from_list(ROWS).with_format("numpy"),
        lambda: datasets.Dataset.from_list(ROWS).to_iterable_dataset(),
        lambda: datasets.Dataset.from_list([{"request": row} for row in ROWS])["request"],
        MapStyle,
        Streaming,
        lambda: KeyDataset([{"request": row} for row in ROWS], "request"),
    ],
    ids=[
        "iterator", "generator", "map", "values", "Dataset", "Dataset as numpy",
        "IterableDataset", "Column", "torch map style", "torch iterable", "KeyDataset",
    ],
)  # fmt: skip
@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_requests_that_come_one_by_one_give_an_iterator(make, batch_size, extract, expected):
    answers = extract(make(), batch_size=batch_size)
    assert not isinstance(answers, list) and iter(answers) is answers
    assert_same(list(answers), expected)


def test_a_row_of_a_data_frame_is_a_request(extract, expected):
    assert_same([extract(row) for _, row in FRAME.iterrows()], expected)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_an_endless_stream_is_read_no_further_than_its_answers(batch_size, extract):
    read = itertools.count()
    answers = extract(({**REQUEST, "id": next(read)} for _ in itertools.count()), batch_size=batch_size)
    assert next(read) == 0, "nothing is read before somebody asks"
    assert [answer["id"] for answer in itertools.islice(answers, 5)] == [1, 2, 3, 4, 5]
    assert next(read) <= 1 + 5 + batch_size


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("on_error", ["raise", "skip", "return"])
def test_no_requests_get_no_answers(batch_size, on_error, extract):
    options = {"batch_size": batch_size, "on_error": on_error}
    assert extract([], **options) == extract((), **options) == extract(FRAME[:0], **options) == []
    lazy = (iter([]), (one for one in []), datasets.Dataset.from_list([]), datasets.Dataset.from_list(ROWS).select([]))
    for nothing in lazy:
        assert list(extract(nothing, **options)) == []


@pytest.mark.parametrize("size", [0, -1, 1.5, "2", True, [2]])
def test_a_batch_size_that_is_none_is_refused(size, folder, extract):
    for ask in (
        lambda: extract([REQUEST], batch_size=size),
        lambda: extract(iter([]), batch_size=size),
        lambda: extract(REQUEST, batch_size=size),
        lambda: pipeline(TASK, model=folder, batch_size=size),
    ):
        with pytest.raises(ValueError, match=r"batch_size is .*; it is how many requests .* at least 1") as error:
            ask()
        assert repr(size) in str(error.value)


def test_a_batch_size_may_be_numpys_and_set_once(folder, expected):
    extract = pipeline(TASK, model=folder, batch_size=np.int64(2))
    calls = []
    extract.model.register_forward_hook(lambda module, inputs, output: calls.append(len(output.logits)))
    assert_same(extract([REQUEST, OTHER]), expected)
    assert calls == [6 + 2]


# Values of numpy, pandas and torch


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, np.float32("nan"), pd.NA, pd.NaT])
@pytest.mark.parametrize("field", ["image", "description", "objects", "pairs", "annotation_style", "id"])
def test_a_missing_value_counts_as_an_absent_field(missing, field, extract, expected):
    assert_same(extract({**REQUEST, field: missing}), expected[0])


@pytest.mark.parametrize(("field", "said"), [("text", "text is None"), ("entities", "finds no entities by itself")])
def test_a_missing_text_or_entities_are_refused(field, said, extract):
    with pytest.raises(ValueError, match=said):
        extract({**REQUEST, field: np.nan})


@pytest.mark.parametrize(
    "entities",
    [
        np.array(["Ada", "Bob", "Paris"]),
        np.array(["Ada", "Bob", "Paris"], dtype=object),
        pd.Series(["Ada", "Bob", "Paris"]),
        np.array([[0, 3], [8, 11], [15, 20]]),
        [np.array([0, 3]), (np.int64(8), np.int32(11)), [15, 20]],
        torch.tensor([[0, 3], [8, 11], [15, 20]]),
        pd.array(["Ada", "Bob", "Paris"]),
    ],
    ids=["strings", "objects", "Series", "spans", "scalars", "tensor", "pandas array"],
)
def test_entities_may_be_arrays(entities, extract, expected):
    assert_same(extract({**REQUEST, "text": np.str_(TEXT), "entities": entities}), expected[0])


def test_objects_and_pairs_may_be_arrays(extract):
    image = Image.new("RGB", (40, 20))
    plain = {**REQUEST, "image": image, "objects": [{"label": "dog", "score": 0.5, "box": [10, 5, 30, 15]}]}
    item = {"label": np.str_("dog"), "score": np.float32(0.5), "box": np.array([10, 5, 30, 15])}
    arrays = {**plain, "objects": np.array([item], dtype=object), "pairs": np.array([[0, 2]])}
    answer = extract(arrays)
    assert_same(answer, extract({**plain, "pairs": [(0, 2)]}))
    assert type(answer["objects"][0]["score"]) is float and type(answer["objects"][0]["label"]) is str


# Ids and pairs


@pytest.mark.parametrize(("given", "told"), [("a", "a"), (7, 7), (np.int64(7), 7), (0, 0), ("", "")])
def test_an_id_goes_along(given, told, extract, expected):
    answer = extract({**REQUEST, "id": given})
    assert answer.pop("id") == told and type(told) in (int, str)
    assert_same(answer, expected[0])


def test_pairs_of_a_request_go_before_those_of_the_call(extract):
    requests = [REQUEST, {**REQUEST, "pairs": [(2, 1)]}, {**REQUEST, "pairs": [(0, 1), (1, 2)]}]
    answers = extract(requests, pairs=[(0, 2)], direction="given", batch_size=3)
    names = [[(pair["head"]["text"], pair["tail"]["text"]) for pair in answer["pairs"]] for answer in answers]
    assert names == [[("Ada", "Paris")], [("Paris", "Bob")], [("Ada", "Bob"), ("Bob", "Paris")]]


@pytest.mark.parametrize(("pairs", "said"), [([], "pairs is empty"), ([(0, 3)], "is no"), (3, "pairs is 3")])
def test_wrong_pairs_of_a_request_are_refused(pairs, said, extract):
    with pytest.raises(ValueError, match=said):
        extract({**REQUEST, "pairs": pairs})


@pytest.mark.parametrize("limits", [None, {}])
def test_a_pair_named_twice_is_refused_with_both_places(limits, extract):
    pairs = [(0, 2), (0, 1), (1, 0), (0, 1), (0, 1)]
    with pytest.raises(ValueError, match=r"the pair \(0, 1\) twice, at 1 and 3, counted from 0; leave one out"):
        extract({**REQUEST, "pairs": pairs}, limits=limits, direction="given")
    assert len(extract({**REQUEST, "pairs": pairs[:3]}, direction="given")["pairs"]) == 3


def test_pairs_of_a_call_may_be_an_iterator_for_several_requests(extract):
    answers = extract([REQUEST, REQUEST], pairs=iter([(0, 2)]))
    assert [len(answer["pairs"]) for answer in answers] == [1, 1]


# Errors

GOOD_AND_BAD = [REQUEST, WRONG, OTHER, UNKNOWN, "Ada", REQUEST, {**OTHER, "text": "Dan likes Eve " + "a " * 600}]
IN_PLACE = [None, "'Zoe' does not occur", None, "a label (text)", "A request is a dict", None, "wordpieces"]


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_errors_may_be_returned_in_place(batch_size, extract, expected):
    answers = extract(GOOD_AND_BAD, on_error="return", batch_size=batch_size)
    for index, (answer, error, asked) in enumerate(zip(answers, IN_PLACE, GOOD_AND_BAD, strict=True)):
        if error is None:
            assert_same(answer, expected[0 if asked is REQUEST else 1])
            continue
        assert error in answer.pop("error")
        known = {"id": asked["id"]} if isinstance(asked, dict) else {}
        assert answer == {"index": index, **known}


@pytest.mark.parametrize("batch_size", [1, 2, 7])
@pytest.mark.parametrize("lazy", [False, True])
def test_wrong_requests_may_be_skipped(batch_size, lazy, extract, expected, caplog):
    requests = iter(GOOD_AND_BAD) if lazy else GOOD_AND_BAD
    answers = list(extract(requests, on_error="skip", batch_size=batch_size))
    assert_same(answers, [expected[0], expected[1], expected[0]])
    assert "Skipped request 1, counted from 0, with the id 'c': The entity 'Zoe' does not occur" in caplog.text
    assert "Skipped request 4, counted from 0: A request is a dict" in caplog.text
    assert "4 requests were skipped" in caplog.text


@pytest.mark.parametrize("batch_size", [1, 2, 7])
@pytest.mark.parametrize(("bad", "number"), [(WRONG, 1), (UNKNOWN, 2)])
def test_an_error_names_its_request_and_comes_after_the_answers_before_it(batch_size, bad, number, extract, expected):
    answers = extract(iter([*[REQUEST, OTHER][:number], bad, REQUEST]), batch_size=batch_size)
    assert_same([next(answers) for _ in range(number)], expected[:number])
    with pytest.raises(ValueError) as error:
        next(answers)
    assert error.value.__notes__ == [f"It is request {number}, counted from 0, with the id {bad['id']!r}."]


def test_an_error_of_one_request_names_its_id(extract):
    with pytest.raises(ValueError) as error:
        extract(WRONG)
    assert error.value.__notes__ == ["It is the request with the id 'c'."]
    assert "'Zoe' does not occur" in extract(WRONG, on_error="return")["error"]
    assert extract(WRONG, on_error="return")["id"] == "c" and "index" not in extract(WRONG, on_error="return")
    assert extract(WRONG, on_error="skip") is None


def test_a_broken_image_does_not_kill_its_batch(extract, expected, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    images = [tmp_path / "broken.png", tmp_path / "missing.png"]
    requests = [REQUEST, *({**REQUEST, "image": image} for image in images), OTHER]
    answers = extract(requests, on_error="return", batch_size=4)
    assert_same([answers[0], answers[3]], expected)
    assert "broken.png" in answers[1]["error"] and "missing.png" in answers[2]["error"]


def test_any_kind_of_error_stays_with_its_request(extract, expected):
    class Picky:
        def detect(self, images):
            if any(image.size == (13, 13) for image in images):
                raise RuntimeError("Thirteen!")
            return [[] for _ in images]

    requests = [REQUEST, {**REQUEST, "image": Image.new("RGB", (13, 13))}, OTHER]
    answers = extract(requests, detector=Picky(), on_error="return", batch_size=3)
    assert_same([answers[0], answers[2]], expected)
    assert answers[1] == {"error": "RuntimeError: Thirteen!", "index": 1}


def test_what_is_wrong_with_the_source_of_requests_is_not_hidden(extract):
    def broken():
        yield REQUEST
        raise RuntimeError("The disk is gone.")

    with pytest.raises(RuntimeError, match="disk is gone"):
        list(extract(broken(), on_error="skip"))


class Hostile:
    """A scalar of an array that breaks."""

    def tolist(self):
        raise RuntimeError("No list!")


@pytest.mark.parametrize(("bad", "said"), [(Hostile(), "RuntimeError: No list!"), ({"a": Hostile()}, "No list!")])
def test_an_id_that_cannot_be_read_does_not_kill_the_stream(bad, said, extract, expected):
    answers = extract([REQUEST, {**REQUEST, "id": bad}, OTHER], on_error="return", batch_size=3)
    assert_same([answers[0], answers[2]], expected)
    assert said in answers[1]["error"] and answers[1]["index"] == 1


@pytest.mark.parametrize("number", [10**400, 10**5000], ids=["400 digits", "5,000 digits"])
def test_an_id_may_be_any_integer_in_an_error_too(number, extract):
    right, wrong = extract([{**REQUEST, "id": number}, {**WRONG, "id": number}], on_error="return")
    assert right["id"] == wrong["id"] == number and "'Zoe' does not occur" in wrong["error"]
    with pytest.raises(ValueError, match="'Zoe' does not occur") as error:
        extract({**WRONG, "id": number})
    assert len(error.value.__notes__[0]) < 150


class OneRowIsBroken(MapStyle):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index == 1:
            raise KeyError("no such file")
        return [REQUEST, None, OTHER][index]


@pytest.fixture
def images_of_which_one_is_broken(tmp_path):
    paths = [str(tmp_path / f"{number}.png") for number in range(3)]
    for path in paths:
        Image.new("RGB", (40, 20)).save(path)
    (tmp_path / "1.png").write_bytes(b"no image")
    rows = [{"text": TEXT, "entities": ["Ada", "Bob"], "image": path} for path in paths]
    return datasets.Dataset.from_list(rows).cast_column("image", datasets.Image())


@pytest.mark.parametrize("batch_size", [1, 3])
def test_an_image_of_a_data_set_that_cannot_be_decoded_stays_with_its_row(
    batch_size, extract, images_of_which_one_is_broken
):
    answers = list(extract(images_of_which_one_is_broken, on_error="return", batch_size=batch_size))
    assert [len(answer.get("pairs", [])) for answer in answers] == [1, 0, 1]
    assert "Row 1 cannot be read (" in answers[1]["error"] and answers[1]["index"] == 1


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_a_row_that_a_data_set_cannot_give_stays_alone(batch_size, extract, expected):
    answers = list(extract(OneRowIsBroken(), on_error="return", batch_size=batch_size))
    assert_same([answers[0], answers[2]], expected)
    assert answers[1] == {
        "error": "Row 1 cannot be read (KeyError: 'no such file'); mend it, or leave it out.", "index": 1
    }  # fmt: skip
    assert_same(list(extract(OneRowIsBroken(), on_error="skip", batch_size=batch_size)), expected)
    answers = extract(OneRowIsBroken(), batch_size=batch_size)
    assert_same(next(answers), expected[0])
    with pytest.raises(ValueError, match="Row 1 cannot be read") as error:
        next(answers)
    assert isinstance(error.value.__cause__, KeyError)


class StreamingWithLength(Streaming):
    def __len__(self):
        return 2


def test_an_iterable_data_set_that_knows_its_length_is_iterated(extract, expected):
    assert_same(list(extract(StreamingWithLength())), expected)


@pytest.mark.parametrize("batch_size", [1, 2, 4])
@pytest.mark.parametrize("on_error", ["raise", "skip", "return"])
def test_a_source_that_breaks_off_gets_the_answers_before_that(batch_size, on_error, extract, expected):
    def broken():
        yield from [REQUEST, OTHER]
        raise RuntimeError("The disk is gone.")

    answers = extract(broken(), batch_size=batch_size, on_error=on_error)
    assert_same([next(answers), next(answers)], expected)
    with pytest.raises(RuntimeError, match="disk is gone"):
        next(answers)


PICTURE = {"image": Image.new("RGB", (40, 20))}
DOG = {"label": "dog", "box": [10, 5, 30, 15]}
MANY = list(range(100_000))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objects": [{"label": "dog", "score": 10**400}]}, "The score 1000.* of 'dog' is no number from 0 to 1"),
        ({"objects": [{"label": "dog", "score": 10**5000}]}, "a int that cannot be shown of 'dog' is no number"),
        ({"objects": [{"label": "dog", "score": True}]}, "The score True of 'dog' is no number from 0 to 1"),
        ({"objects": [{**DOG, "box": [0, 0, 10**400, 5]}]}, r"The box \[0, 0, 1000.* of 'dog' is not four numbers"),
        ({"objects": [{**DOG, "box": [False, 0, 9, 5]}]}, r"The box \[False, 0, 9, 5\] of 'dog' is not four numbers"),
        ({"entities": ["Ada", {"box": [0, 0, 9, 10**400]}]}, "The box .* of 'entity' is not four numbers"),
        ({"entities": ["Ada", {**DOG, "score": True}]}, "The score True of 'dog'"),
        ({"entities": ["Ada", (True, 3)]}, r"The entity \(True, 3\) is neither"),
        ({"entities": ["Ada", {"start": False, "end": 3}]}, r"The entity \(False, 3\) is neither"),
        ({"entities": np.array([[True, False], [True, True]])}, r"The entity \[True, False\] is neither"),
        ({"pairs": [(False, True)]}, r"pairs is \[\(False, True\)\]; give"),
        ({"entities": ["Ada", MANY]}, r"The entity \[0, 1, .*\.\.\. is neither"),
        ({"entities": ["Ada", (0, 10**400)]}, r"The entity span \(0, 1.* is not within"),
        ({"entities": ["Ada", {"word": MANY}]}, "The entity {'word': .* has no"),
        ({"entities": ["Ada", {"name": MANY}]}, "The entity {'name': .* is no object"),
        ({"entities": {"Ada": MANY}}, "entities is {'Ada'"),
        ({"pairs": MANY}, "pairs is .* give a list"),
        ({"pairs": [MANY]}, "The pair .* is no"),
        ({"objects": {"dog": MANY}}, "objects is .* give a list"),
        ({"objects": [MANY]}, "The object .* is neither"),
        ({"objects": [{**DOG, "box": MANY}]}, "The box .* of 'dog' is not four numbers"),
        ({"objects": [{**DOG, "score": MANY}]}, "The score .* of 'dog' is no number"),
        ({"objects": [{**DOG, "label": "dog" * 500, "score": 2}]}, r"of 'dog.*\.\.\.' is no number"),
        ({"text": MANY}, "text is .* give a string"),
        ({"text": " " * 1900}, "text is .* give the sentence"),
        ({"description": MANY}, "description is .* give a string"),
        (dict.fromkeys(map(str, MANY)), "Unknown fields .* a request has"),
        ({"entities": [(0, 1900), (0, 1900)], "text": "a" * 1900}, r"are both 'aaa.*\.\.\.' at 0"),
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused_by_a_short_message_that_names_it(changes, said):
    with pytest.raises(ValueError, match=said) as error:
        read_request({**REQUEST, **PICTURE, **changes})
    assert len(str(error.value)) < 500


def test_what_becomes_of_errors_may_be_set_once(folder):
    extract = pipeline(TASK, model=folder, on_error="return")
    assert "error" in extract([REQUEST, WRONG])[1]
    with pytest.raises(ValueError, match="Zoe"):
        extract([REQUEST, WRONG], on_error="raise")
    with pytest.raises(ValueError, match='on_error is \'ignore\'; it is "raise", "skip" or "return"'):
        extract(REQUEST, on_error="ignore")


def test_fields_that_there_are_not_are_named():
    with pytest.raises(ValueError, match=r"Unknown fields \['label', 'picture'\]; .*pairs, annotation_style, id"):
        read_request({**REQUEST, "picture": None, "label": 3})


# Copies


class Words:
    """A describer that always says the same."""

    def describe(self, images):
        return ["Two men." for _ in images]


@pytest.mark.parametrize(
    "make_copy", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))], ids=["deep", "pickle"]
)
def test_a_copy_of_a_pipeline_answers_alike(make_copy, tmp_path):
    model = tiny_model(visual_features=["pixels", "text", "box"], vision_config=tiny_vgg_config())
    model.save_pretrained(tmp_path)
    tiny_processor(image_processor=tiny_image_processor()).save_pretrained(tmp_path)
    cache = ImageCache(size=5)
    extract = pipeline(TASK, model=str(tmp_path), cache=cache, limits={"max_entities": 3}, on_error="return")
    objects = [{"label": "hat", "box": [0, 0, 30, 15]}]
    request = {**REQUEST, "image": Image.new("RGB", (40, 20), "red"), "objects": objects}
    expected = extract(request)
    copied = make_copy(extract)
    copied_cache = copied._forward_params["cache"]
    assert copied_cache is not cache and copied_cache.size == 5
    for _ in range(2):  # with an empty cache, then from it
        assert_same(copied(request), expected)
    assert_same(extract(request), expected)
    assert "up to 3" in copied({**REQUEST, "entities": ["Ada", "met", "Bob", "in"]})["error"]


def test_a_copy_keeps_its_tools(folder, tmp_path):
    detector = save_tiny_bundled(tmp_path)
    extract = pipeline(TASK, model=folder, detector=detector, describer=Words())
    request = {**REQUEST, "image": Image.linear_gradient("L").convert("RGB")}
    expected = extract(request)
    assert expected["objects"] and expected["description"] == "Two men."
    for copied in (copy.deepcopy(extract), pickle.loads(pickle.dumps(extract))):
        assert_same(copied(request), expected)
        assert_same(copied(request, detector="none", describer=None)["description"], "Two men.")


@pytest.mark.parametrize("make_copy", [copy.deepcopy, copy.copy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copied_cache_works_and_shares_nothing(make_copy):
    cache = ImageCache(size=2)
    cache.get_or_compute("doubling", [1, 2], lambda indices: [2, 4])
    copied = make_copy(cache)
    assert copied.get_or_compute("doubling", [1], lambda indices: ["new"]) == ["new"] and copied.size == 2
    assert cache.get_or_compute("doubling", [1], lambda indices: ["new"]) == [2]
