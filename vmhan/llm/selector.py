"""Node selection by LLMs, as the paper does it: one reads the sentence, one looks at the image.

An answer that is of no use is asked for once more, with what was wrong with it; then the selector without an LLM
decides, with a warning.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from PIL import Image

from vmhan.llm.chat_model import ChatModel, Conversation
from vmhan.llm.prompts import (
    OBJECT_FORMAT,
    PHRASE_FORMAT,
    ask_again,
    ask_for_objects,
    ask_for_text_phrases,
    ask_for_visual_phrases,
)
from vmhan.llm.responses import Answer, read_objects, read_text_phrases, read_visual_phrases
from vmhan.node_selection import NodeSelection, SelectionRequest, WordSelector

logger = logging.getLogger(__name__)

Reader = Callable[[str, SelectionRequest, int], Answer]


class LLMSelector:
    """Asks chat models for the nodes of a pair.

    Args:
        fallback: Selects where no model is asked or answers; its numbers of nodes are those asked for.
        text_model: Is asked for the m text phrases (LLaMA-3 in the paper); None leaves them to `fallback`.
        visual_model: Is asked for the n visual phrases and the k objects (LLaVA); None leaves them to `fallback`. It
            is shown the image, or, where there is none or it sees none, told the description. With neither, and where
            an image has no more than k objects, it is not asked.

    `counts` tells what became of the questions: `"asked"`, `"asked again"`, `"fell back"` and `"dropped: ..."`.
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
        """The nodes of each request's pair; those of one call are asked for in batches."""
        selections = self.fallback.select(requests)
        for field, answers in (
            ("text_phrases", self._text_phrases(requests)),
            ("visual_phrases", self._visual_phrases(requests)),
            ("objects", self._objects(requests)),
        ):
            for index, items in answers.items():
                selections[index] = selections[index]._replace(**{field: items})
        return selections

    def _text_phrases(self, requests: Sequence[SelectionRequest]) -> dict[int, list]:
        count = self.fallback.num_text_phrases
        if self.text_model is None or count == 0:
            return {}
        questions = {i: ask_for_text_phrases(request, count) for i, request in enumerate(requests)}
        return self._ask(self.text_model, questions, requests, read_text_phrases, count, PHRASE_FORMAT)

    def _visual_phrases(self, requests: Sequence[SelectionRequest]) -> dict[int, list]:
        count = self.fallback.num_visual_phrases
        if self.visual_model is None or count == 0:
            return {}
        questions = {
            i: ask_for_visual_phrases(request, count, self._shown(request))
            for i, request in enumerate(requests)
            if self._shown(request) is not None or request.description
        }
        return self._ask(self.visual_model, questions, requests, read_visual_phrases, count, PHRASE_FORMAT)

    def _objects(self, requests: Sequence[SelectionRequest]) -> dict[int, list]:
        count = self.fallback.num_objects
        if self.visual_model is None or count == 0:
            return {}
        questions = {
            i: ask_for_objects(request, count, self._shown(request))
            for i, request in enumerate(requests)
            if len(request.objects) > count
            and (self._shown(request) is not None or any(item.label for item in request.objects))
        }
        return self._ask(self.visual_model, questions, requests, read_objects, count, OBJECT_FORMAT)

    def _shown(self, request: SelectionRequest) -> Image.Image | None:
        return request.image if request.image is not None and self.visual_model.sees_images else None

    def _ask(
        self,
        model: ChatModel,
        questions: dict[int, Conversation],
        requests: Sequence[SelectionRequest],
        read: Reader,
        count: int,
        answer_format: str,
    ) -> dict[int, list]:
        """What is kept of the answers, by request; a request is missing where two answers were of no use."""
        kept: dict[int, list] = {}
        for attempt in ("asked", "asked again"):
            self.counts[attempt] += len(questions)
            replies = model.reply(list(questions.values())) if questions else []
            unusable = {}
            for (index, question), reply in zip(questions.items(), replies, strict=True):
                answer = read(reply, requests[index], count)
                self.counts.update({f"dropped: {reason}": times for reason, times in answer.dropped.items()})
                if answer.fault is None:
                    kept[index] = answer.items
                else:
                    unusable[index] = ask_again(question, reply, answer.fault, answer_format)
            questions = unusable
        for index in questions:
            logger.warning(
                "%s gave two answers of no use; words select for %s in %r.",
                model.name,
                " and ".join(map(repr, requests[index].entities)),
                requests[index].text,
            )
        self.counts["fell back"] += len(questions)
        return kept


__all__ = ["LLMSelector"]
