"""Node selection by LLMs, as in the paper: one reads the sentence, one the image.

An unusable reply gets one retry, with its fault; then the selection falls back to the one without an LLM, with a
warning.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from PIL import Image

from vmhan.llm.chat_model import ChatModel, Conversation
from vmhan.llm.prompts import (
    OBJECT_FORMAT,
    PHRASE_FORMAT,
    object_prompt,
    retry_prompt,
    text_phrase_prompt,
    visual_phrase_prompt,
)
from vmhan.llm.responses import ParsedReply, read_object_indices, read_text_phrases, read_visual_phrases
from vmhan.node_selection import NodeSelection, SelectionRequest, WordSelector

logger = logging.getLogger(__name__)

Parser = Callable[[str, SelectionRequest, int], ParsedReply]


class LLMSelector:
    """Selects the nodes of a pair with chat models.

    Args:
        fallback: Selector without an LLM, where no model has a prompt or a usable reply; has the numbers of nodes.
        text_model: Selects the m text phrases (LLaMA-3 in the paper); None leaves them to `fallback`.
        visual_model: Selects the n visual phrases and the k objects (LLaVA); None leaves them to `fallback`. Its
            prompt holds the image, or, where there is none or the model reads none, the description. With neither, and
            where an image has no more than k objects, there is no prompt.

    Attributes:
        counts: Number of prompts (`"asked"`), retries (`"asked again"`), fallbacks (`"fell back"`) and dropped items
            by reason (`"dropped: ..."`).
    """

    def __init__(
        self,
        fallback: WordSelector,
        text_model: ChatModel | None = None,
        visual_model: ChatModel | None = None,
    ):
        self.fallback = fallback
        self.text_model = text_model
        self.visual_model = visual_model
        self.counts: Counter[str] = Counter()

    def select(self, requests: Sequence[SelectionRequest]) -> list[NodeSelection]:
        """Selects the nodes of each request's pair; the prompts of one call go in batches."""
        selections = self.fallback.select(requests)
        for field, selected in (
            ("text_phrases", self._text_phrases(requests)),
            ("visual_phrases", self._visual_phrases(requests)),
            ("objects", self._objects(requests)),
        ):
            for index, items in selected.items():
                selections[index] = selections[index]._replace(**{field: items})
        return selections

    def _text_phrases(self, requests: Sequence[SelectionRequest]) -> dict[int, list]:
        count = self.fallback.num_text_phrases
        if self.text_model is None or count == 0:
            return {}
        prompts = {index: text_phrase_prompt(request, count) for index, request in enumerate(requests)}
        return self._run(self.text_model, prompts, requests, read_text_phrases, count, PHRASE_FORMAT)

    def _visual_phrases(self, requests: Sequence[SelectionRequest]) -> dict[int, list]:
        count = self.fallback.num_visual_phrases
        if self.visual_model is None or count == 0:
            return {}
        prompts = {}
        for index, request in enumerate(requests):
            image = _visible_image(request, self.visual_model)
            if image is not None or request.description:
                prompts[index] = visual_phrase_prompt(request, count, image)
        return self._run(self.visual_model, prompts, requests, read_visual_phrases, count, PHRASE_FORMAT)

    def _objects(self, requests: Sequence[SelectionRequest]) -> dict[int, list]:
        count = self.fallback.num_objects
        if self.visual_model is None or count == 0:
            return {}
        prompts = {}
        for index, request in enumerate(requests):
            image = _visible_image(request, self.visual_model)
            has_choice = len(request.objects) > count
            if has_choice and (image is not None or any(item.label for item in request.objects)):
                prompts[index] = object_prompt(request, count, image)
        return self._run(self.visual_model, prompts, requests, read_object_indices, count, OBJECT_FORMAT)

    def _run(
        self,
        model: ChatModel,
        prompts: dict[int, Conversation],
        requests: Sequence[SelectionRequest],
        parse: Parser,
        count: int,
        reply_format: str,
    ) -> dict[int, list]:
        """Runs a model on prompts; returns the kept items by request, without those that have no usable reply."""
        selected: dict[int, list] = {}
        for attempt in ("asked", "asked again"):
            self.counts[attempt] += len(prompts)
            replies = model.reply(list(prompts.values())) if prompts else []
            retries = {}
            for (index, prompt), reply in zip(prompts.items(), replies, strict=True):
                parsed = parse(reply, requests[index], count)
                self.counts.update({f"dropped: {reason}": times for reason, times in parsed.dropped.items()})
                if parsed.fault is None:
                    selected[index] = parsed.items
                else:
                    retries[index] = retry_prompt(prompt, reply, parsed.fault, reply_format)
            prompts = retries
        for index in prompts:
            logger.warning(
                "%s gave two unusable replies; falling back to the selection without an LLM for %s in %r.",
                model.name,
                " and ".join(map(repr, requests[index].entities)),
                requests[index].text,
            )
        self.counts["fell back"] += len(prompts)
        return selected


def _visible_image(request: SelectionRequest, model: ChatModel) -> Image.Image | None:
    return request.image if model.sees_images else None


__all__ = ["LLMSelector"]
