"""Words about an image: by a captioning model, or out of what a detector has found."""

from collections import Counter
from collections.abc import Sequence

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from .detection import DetectedObject

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PLURALS = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "knife": "knives",
    "sheep": "sheep",
    "skis": "skis",
    "scissors": "scissors",
    "glasses": "glasses",
}
_ALWAYS_PLURAL = ("skis", "scissors", "glasses")


def describe_objects(objects: Sequence[DetectedObject]) -> str | None:
    """What was found, counted, in a sentence; None if nothing was.

    Example:
        >>> describe_objects([person, dog, person])
        'Two people and a dog.'
    """
    counts = Counter(item.label for item in objects)
    phrases = [_counted(label, count) for label, count in counts.most_common()]
    if not phrases:
        return None
    listed = phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
    return f"{listed[0].upper()}{listed[1:]}."


def _counted(label: str, count: int) -> str:
    if count == 1:
        return label if label in _ALWAYS_PLURAL else f"{'an' if label[0] in 'aeiou' else 'a'} {label}"
    return f"{_NUMBERS[count] if count < len(_NUMBERS) else count} {_plural(label)}"


def _plural(label: str) -> str:
    *first, last = label.split()
    if last in _PLURALS:
        last = _PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = f"{last[:-1]}ies"
    else:
        last += "s"
    return " ".join([*first, last])


class ImageDescriber:
    """A captioning model of `transformers`, such as BLIP or LLaVA.

    Args:
        name_or_path: Hub id or folder of an `AutoModelForImageTextToText`.
        prompt: What a model that converses is asked. One that only captions gets the image alone.
        max_new_tokens: Longest description, in wordpieces.
        device: Such as "cuda:0".

    Raises:
        OSError: The model is neither here nor to be fetched.
    """

    def __init__(
        self,
        name_or_path: str,
        prompt: str = "Describe the people and things in this picture in two sentences.",
        max_new_tokens: int = 60,
        device: str | torch.device = "cpu",
    ):
        try:
            self.processor = AutoProcessor.from_pretrained(name_or_path)
            self.model = AutoModelForImageTextToText.from_pretrained(name_or_path).eval().to(device)
        except OSError as error:
            raise OSError(
                f"The describer {name_or_path!r} is neither a folder here nor to be had from the Hub ({error}). "
                "Check the name and the network, or describe the image yourself."
            ) from error
        self.prompt = prompt
        self.max_new_tokens = max_new_tokens

    @torch.inference_mode()
    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """A description of each image, always the same for the same image."""
        return [self._describe(image) for image in images]

    def _describe(self, image: Image.Image) -> str:
        inputs = self._inputs(image).to(self.model.device, self.model.dtype)
        tokens = self.model.generate(**inputs, max_new_tokens=self.max_new_tokens, do_sample=False)
        asked = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0
        return self.processor.batch_decode(tokens[:, asked:], skip_special_tokens=True)[0].strip()

    def _inputs(self, image: Image.Image):
        if getattr(self.processor, "chat_template", None) is None:
            return self.processor(images=image, return_tensors="pt")
        content = [{"type": "image", "image": image}, {"type": "text", "text": self.prompt}]
        return self.processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )


__all__ = ["ImageDescriber", "describe_objects"]
