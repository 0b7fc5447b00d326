"""Words about an image."""

import pytest
import torch
from PIL import Image
from tiny import tiny_tokenizer
from tiny_detectors import save_tiny_blip
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)

from vmhan.description import ImageDescriber, describe_objects
from vmhan.detection import DetectedObject

CHAT = (
    "{% for message in messages %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endfor %}"
)


def found(*labels):
    return [DetectedObject(label, 0.9, (0, 0, 1, 1)) for label in labels]


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([], None),
        (["person"], "A person."),
        (["umbrella"], "An umbrella."),
        (["person", "dog", "person"], "Two people and a dog."),
        (["sports ball", "bus", "bus", "sports ball", "tie"], "Two sports balls, two buses and a tie."),
        (["glasses", "sheep", "sheep", "sheep"], "Three sheep and glasses."),
        (["lady"] * 12, "12 ladies."),
    ],
)
def test_objects_are_counted_in_a_sentence(labels, sentence):
    assert describe_objects(found(*labels)) == sentence


@pytest.fixture(scope="module")
def blip(tmp_path_factory) -> str:
    return save_tiny_blip(tmp_path_factory.mktemp("blip"))


@pytest.fixture(scope="module")
def llava(tmp_path_factory) -> str:
    """A random LLaVA, which answers a question about the image."""
    folder = tmp_path_factory.mktemp("llava")
    torch.manual_seed(0)
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    tiny = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**tiny, image_size=16, patch_size=8),
        text_config=LlamaConfig(**tiny, vocab_size=len(tokenizer), num_key_value_heads=2),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}),
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT,
    ).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("kind", ["blip", "llava"])
def test_a_captioning_model_says_the_same_of_the_same_image(kind, request):
    describer = ImageDescriber(request.getfixturevalue(kind), max_new_tokens=8)
    image = Image.new("RGB", (20, 30), "red")
    first, second, blue = describer.describe([image, image, Image.new("RGB", (20, 30), "blue")])
    assert isinstance(first, str)
    assert first == second
    assert describer.prompt.lower() not in first.lower()
    assert isinstance(blue, str)


def test_a_describer_that_cannot_be_had_is_named():
    with pytest.raises(OSError, match="'nobody/nothing' is neither a folder here nor"):
        ImageDescriber("nobody/nothing")
