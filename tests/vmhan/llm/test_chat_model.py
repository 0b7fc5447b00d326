"""A LLaMA and a LLaVA of width 16 answer through the code that the large ones do."""

import pytest
import torch
from chat_fixture import CONTEXT, save_tiny_llama, save_tiny_llava
from PIL import Image

from vmhan.llm.chat_model import LocalChatModel, build_message, images_of, text_of

RED, BLUE = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (64, 64), "blue")
PROMPTS = ["Who?", "Who sings beside the river, and who listens?", "A man?"]


@pytest.fixture(scope="module")
def llama(tmp_path_factory) -> str:
    return save_tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def llava(tmp_path_factory) -> str:
    return save_tiny_llava(tmp_path_factory.mktemp("llava"))


def talks(prompts=PROMPTS, images=(None,) * 9):
    return [[build_message("user", prompt, image)] for prompt, image in zip(prompts, images, strict=False)]


def test_message_holds_its_text_and_image():
    turn = build_message("user", "Who?", RED)
    assert text_of(turn) == "Who?" and images_of([turn]) == [RED]
    assert images_of([build_message("user", "Who?")]) == []


def test_only_a_model_for_images_sees_them(llama, llava):
    assert LocalChatModel(llava).sees_images and not LocalChatModel(llama).sees_images


@pytest.mark.parametrize("batch_size", [2, 3])
def test_a_batch_of_texts_gets_the_answers_that_each_gets_alone(llama, batch_size):
    model = LocalChatModel(llama, max_new_tokens=12, batch_size=batch_size)
    together = model.reply(talks())
    assert together == [model.reply([talk])[0] for talk in talks()]
    assert len(set(together)) == 3, "answers that do not depend on the prompt would prove nothing"


def test_answers_are_the_same_each_time_whatever_the_seed(llama):
    answers = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        answers.append(LocalChatModel(llama, max_new_tokens=12).reply(talks()))
    assert answers[0] == answers[1]


def test_a_batch_with_and_without_images_gets_the_answers_that_each_gets_alone(llava):
    model = LocalChatModel(llava, max_new_tokens=12, batch_size=2)
    mixed = talks([*PROMPTS, "Who?"], [None, RED, BLUE, BLUE])
    together = model.reply(mixed)
    assert together == [model.reply([talk])[0] for talk in mixed]


def test_another_image_gets_another_answer(llava):
    noise = Image.effect_noise((40, 40), 90).convert("RGB")
    model = LocalChatModel(llava, max_new_tokens=12)
    red, other = model.reply(talks(["Who?"] * 2, [RED, noise]))
    assert red != other


def test_a_conversation_goes_on_after_an_answer(llama, llava):
    for folder, image in ((llama, None), (llava, RED)):
        model = LocalChatModel(folder, max_new_tokens=12)
        first = [build_message("user", "Who?", image)]
        longer = [*first, build_message("assistant", model.reply([first])[0]), build_message("user", "Again.")]
        assert isinstance(model.reply([longer])[0], str)


@pytest.mark.parametrize("token", ["<image>", "</s>", "<|assistant|>", "<s>"])
def test_a_text_that_spells_a_special_token_keeps_its_words(llama, llava, token):
    for folder, image in ((llama, None), (llava, RED)):
        model = LocalChatModel(folder, max_new_tokens=4)
        ids = model._encode(talks([f"Who {token}?"], [image]))["input_ids"][0].tolist()
        plain = model._encode(talks(["Who ?"], [image]))["input_ids"][0].tolist()
        special = set(range(6))
        assert [i for i in ids if i in special] == [i for i in plain if i in special]
        assert len(ids) == len(plain) + len(token) + 1
        assert model.reply(talks([f"Who {token}?"], [image]))


def test_padding_is_on_the_left(llama):
    inputs = LocalChatModel(llama)._encode(talks())
    assert (inputs["attention_mask"].diff(dim=1) >= 0).all() and inputs["attention_mask"][:, -1].all()


def test_a_prompt_that_does_not_fit_the_context_is_refused(llama):
    model = LocalChatModel(llama, max_new_tokens=40)
    with pytest.raises(ValueError, match=f"reply of 40 do not fit the {CONTEXT} .*Who Who"):
        model.reply(talks(["Who " * (CONTEXT // 4)]))


def test_a_model_without_a_chat_template_is_refused(tmp_path, llama):
    model = LocalChatModel(llama)
    model.model.save_pretrained(tmp_path)
    model.processor.chat_template = None
    model.processor.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="no chat template"):
        LocalChatModel(str(tmp_path)).reply(talks())


def test_a_model_that_is_nowhere_is_named(tmp_path):
    model = LocalChatModel(str(tmp_path / "nowhere"))
    with pytest.raises(OSError, match=r"chat model .*nowhere.* cannot be loaded; give the folder"):
        model.reply(talks())


def test_half_precision_takes_images_too(llava):
    model = LocalChatModel(llava, max_new_tokens=4, dtype=torch.bfloat16)
    assert len(model.reply(talks(["Who?", "A man?"], [RED, None]))) == 2
    assert model.model.dtype == torch.bfloat16


def test_nothing_is_loaded_before_the_first_conversation(tmp_path):
    assert LocalChatModel(str(tmp_path / "nowhere")).name.endswith("nowhere")
