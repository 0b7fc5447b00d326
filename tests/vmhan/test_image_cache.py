"""Cache of results about the last images."""

import pytest
import torch
from PIL import Image
from test_image_analysis import Counting
from tiny import save_tiny_checkpoint, tiny_image_processor, tiny_model, tiny_processor, tiny_vgg_config
from tiny_detectors import save_tiny_blip, save_tiny_rt_detr
from transformers import pipeline

from vmhan.detectors.huggingface import TransformersDetector
from vmhan.image_cache import ImageCache
from vmhan.llm.captioning import load_describer

RED, BLUE, GREEN = (Image.new("RGB", (60, 40), color) for color in ("red", "blue", "green"))
BOXES = [{"label": "hat", "box": [0, 0, 30, 20]}, {"label": "idea"}]


def doubled(cache, keys) -> tuple[list, list]:
    """Twice each key, and for which places that had to be made."""
    made = []
    results = cache.get_or_compute(
        "doubling", keys, lambda indices: made.extend(indices) or [2 * keys[i] for i in indices]
    )
    return results, made


def test_only_what_is_new_is_made():
    cache = ImageCache()
    assert doubled(cache, [1, 2, 1]) == ([2, 4, 2], [2, 1])
    assert doubled(cache, [2, 3]) == ([4, 6], [1])


def test_what_was_longest_unused_is_forgotten_first():
    cache = ImageCache(size=2)
    doubled(cache, [1, 2])
    doubled(cache, [1])
    doubled(cache, [3])
    assert doubled(cache, [1])[1] == [] and doubled(cache, [2])[1] == [0]


def test_two_makers_do_not_mix():
    cache = ImageCache()
    doubled(cache, [1])
    assert cache.get_or_compute("negation", [1], lambda indices: [-1]) == [-1]


def test_a_cache_without_room_is_rejected():
    with pytest.raises(ValueError, match="size is 0"):
        ImageCache(0)


def test_an_image_is_detected_and_described_once_over_several_calls(tmp_path):
    detector = Counting(TransformersDetector(save_tiny_rt_detr(tmp_path / "a"), threshold=0.0), "detect")
    describer = Counting(load_describer(save_tiny_blip(tmp_path / "b")), "describe")
    extract = pipeline(
        "multimodal-relation-extraction",
        model=save_tiny_checkpoint(tmp_path / "c"),
        detector=detector,
        describer=describer,
        cache=ImageCache(),
    )
    answers = [extract({"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": RED.copy()}) for _ in range(3)]
    assert detector.seen == describer.seen == [1]
    assert answers[0]["objects"] and answers[0] == answers[2]


@pytest.fixture
def seeing(tmp_path):
    """A pipeline whose model looks at pixels, and how many pictures each call of its vision encoder got."""
    model = tiny_model(visual_features=["pixels", "text", "box"], vision_config=tiny_vgg_config())
    model.save_pretrained(tmp_path)
    tiny_processor(image_processor=tiny_image_processor()).save_pretrained(tmp_path)
    extract = pipeline("multimodal-relation-extraction", model=str(tmp_path))
    calls = []
    extract.model.vmhan.vision_model.register_forward_pre_hook(
        lambda module, args, kwargs: calls.append(len(args[0] if args else kwargs["pixel_values"])), with_kwargs=True
    )
    return extract, calls


def test_cached_states_give_the_same_answer(seeing):
    extract, calls = seeing
    request = {"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": RED, "objects": BOXES}
    without, cache = extract(request), ImageCache()
    first, second = (extract(request, cache=cache) for _ in range(2))
    assert len(calls) == 2, "once without a cache, once with one"
    for answer in (first, second):
        scores = [torch.tensor(list(pair["scores"].values())) for pair in answer["pairs"]]
        expected = [torch.tensor(list(pair["scores"].values())) for pair in without["pairs"]]
        torch.testing.assert_close(scores, expected, atol=1e-5, rtol=0)


def test_only_the_new_image_of_a_batch_is_encoded(seeing):
    extract, calls = seeing
    cache = ImageCache()
    requests = [
        {"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": image} for image in (RED, BLUE, RED, GREEN)
    ]
    extract(requests[:2], cache=cache, batch_size=2)
    extract([*requests[2:], {"text": "Ada met Bob", "entities": ["Ada", "Bob"]}], cache=cache, batch_size=3)
    assert calls == [2, 1]
