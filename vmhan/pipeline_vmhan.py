"""`pipeline("multimodal-relation-extraction")`: sentence, image and entities in, the relation of every pair out."""

import os
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache, partial
from itertools import islice

import torch
from transformers import Pipeline
from transformers.utils import logging

from .description import ImageDescriber, load_describer
from .detection import DetectorUnavailable, ObjectDetector
from .detectors import BUNDLED, NO_DETECTOR, bundled_detector_of, load_detector
from .extraction_request import ExtractionRequest, read_request
from .hypergraph import HEAD, IMAGE, OBJECT, TAIL, VISUAL_PHRASE, is_visual
from .image_memory import ImageMemory, recall_visual_states
from .looking import look_at_images
from .node_selection import NodeSelection, NodeSelector
from .pair_hypergraph import node_names, pair_hypergraph
from .selectors import WORDS, load_selector
from .text_similarity import MeanPooledEncoder
from .unknown_words import unknown_words_warning

logger = logging.get_logger(__name__)

TASK = "multimodal-relation-extraction"


class MultimodalRelationExtractionPipeline(Pipeline):
    """Relations between the entities of a sentence with a picture.

    ```python
    extract = pipeline("multimodal-relation-extraction", model="assets/vmhan-mini-mnre")
    extract({"text": "Ada met Bob", "entities": ["Ada", "Bob"], "description": "Two people shake hands."})
    ```

    A request is a dict, several are a list. Its fields: `"text"`; `"entities"`, strings, (start, end) characters or
    what `pipeline("ner")` returns;
    `"image"`, a path, a URL or a PIL image; `"description"`, words about the image; `"objects"`, names or
    `{"label", "score", "box"}` with pixel corners, by default the nouns of the description. The last three are
    optional. Where an image comes without objects, a detector looks for them; without an image, or a detector, the
    nouns of the description are the objects. Where an image comes without a description, a describer writes one, if
    there is one, or it tells what was detected.

    A model that was trained on MORE relates an entity of the text to an object of the image. Such an entity is a dict:
    `{"box": [left, top, right, bottom]}` in pixels, perhaps with a `"label"`, or `{"object": 0}`, an index into
    `"objects"`. It can only be a tail, has no other direction, and is answered as `{"text", "start", "end", "box",
    "object"}`: its label, None twice, its box and its index into the objects of the answer.

    ```python
    extract({"text": "Zidane watches", "image": "bench.jpg", "entities": ["Zidane", {"box": [40, 10, 210, 300]}]})
    ```

    The answer is `{"pairs", "objects", "description"}`. A pair holds `"head"` and `"tail"` (`"text"`, `"start"`,
    `"end"`), `"relation"`, its probability `"score"`, all `"scores"`, their `"entropy"` in nats, the mean `"variance"`
    of its two Gaussians and its visual nodes as `"objects"`, by falling `"attention"`, which sums to one. What a user
    names has the score 1.

    Args:
        pairs: (head, tail) indices of the entities to relate; by default every two.
        direction: `"best"` tries each pair both ways round and returns the one in which some relation is likelier,
            `"given"` takes head and tail in the order of `pairs`, and reads into it what a model with a direction
            classifier has learnt to.
        detector: What finds the objects of an image: a name or path as `load_detector` takes it, an
            `ObjectDetector`, or `"none"`. By default the bundled one.
        or_bundled: Whether the bundled detector may stand in, with a warning, for one that cannot be had.
        describer: What describes an image: a model's name or address as `load_describer` takes it, or an
            `ImageDescriber`.
        selector: What selects the nodes of a pair, for a model that was trained with selected nodes: a name as
            `load_selector` takes it, or a `NodeSelector`. By default the one that needs no LLM.
        hypergraph: Whether each pair also holds its `"hypergraph"`, as `pair_hypergraph` makes it.
        memory: An `ImageMemory`, so that what was detected, described and encoded of the last images is not made anew.
    """

    _load_processor = True
    _load_tokenizer = False
    _load_image_processor = False
    _load_feature_extractor = False

    def _sanitize_parameters(
        self,
        pairs=None,
        direction=None,
        detector=None,
        or_bundled=False,
        describer=None,
        selector=None,
        hypergraph=None,
        memory=None,
        **unknown,
    ):
        if unknown:
            raise ValueError(
                f"Unknown options {sorted(unknown)}; there are pairs, direction, detector, or_bundled, describer, "
                "selector, hypergraph, memory and batch_size."
            )
        if direction not in (None, "best", "given"):
            raise ValueError(f'direction is {direction!r}; it is "best" or "given".')
        chosen = {} if direction is None else {"both_directions": direction == "best"}
        further = {"hypergraph": hypergraph, "memory": memory}
        chosen |= {name: value for name, value in further.items() if value is not None}
        tools = {
            "detector": (detector, partial(self._load_detector, or_bundled=or_bundled)),
            "describer": (describer, _load_describer),
            "selector": (selector, self._load_selector),
        }
        for name, (tool, load) in tools.items():
            if tool is not None:
                chosen[name] = load(tool) if isinstance(tool, str | os.PathLike) else tool
        return {} if pairs is None else {"pairs": pairs}, chosen, {}

    def preprocess(self, inputs: dict, pairs=None) -> list[ExtractionRequest]:
        """A list of one checked request; `get_iterator` joins several."""
        scripts = self.model.config.training_scripts
        request = read_request(inputs, pairs, self.processor.max_objects, training_scripts=scripts)
        if warning := unknown_words_warning(request.text, self.processor.tokenizer):
            request.warnings.append(warning)
        if request.image and "pixels" in self.model.config.visual_features and not self._sees_pixels:
            logger.warning_once(
                "This model was trained on features of pixels, but holds no vision encoder to compute them; "
                "the image changes nothing."
            )
        return [request]

    def _load_detector(self, name: "str | os.PathLike", or_bundled: bool = False) -> ObjectDetector | None:
        """The detector `name`, or the bundled one, which comes with the package or with the model."""
        if name == NO_DETECTOR:
            return None
        try:
            return _load_detector(self._bundled_detector if name == BUNDLED else name)
        except DetectorUnavailable as error:
            if name == BUNDLED or not or_bundled:
                raise
            stand_in = self._load_detector(BUNDLED)
            logger.warning(f"{error} The bundled detector stands in.")
            return stand_in

    @cached_property
    def _bundled_detector(self) -> str:
        return bundled_detector_of(self.model.name_or_path, getattr(self.model.config, "_commit_hash", None))

    def _default_detector(self, requests: list[ExtractionRequest]) -> ObjectDetector | None:
        """The bundled detector, if it is here and any image needs it."""
        if not any(request.image is not None and request.objects is None for request in requests):
            return None
        try:
            return self._load_detector(BUNDLED)
        except DetectorUnavailable as error:
            logger.warning_once(f"Nothing looks for objects in images: {error}")
            return None

    @property
    def _sees_pixels(self) -> bool:
        return self.model.config.vision_config is not None and self.processor.image_processor is not None

    def _load_selector(self, name: str = WORDS) -> NodeSelector:
        """The selector `name`, which selects as many nodes as the model was trained with."""
        settings = self.processor.node_selection
        if settings is None:
            raise ValueError(f"The model was trained without selected nodes; leave the selector {name!r} out.")
        if name == WORDS != settings["selector"]:
            logger.warning_once("An LLM selected the nodes that this model was trained with; now words select them.")
        counts = {key: value for key, value in settings.items() if key != "selector"}
        encode = MeanPooledEncoder(self.model.base_model.text_model, self.processor.tokenizer)
        return load_selector(name, encode=encode, **counts)

    def _select(
        self, requests: list[ExtractionRequest], pairs: list[list[tuple[int, int]]], selector: NodeSelector | None
    ) -> list[list[NodeSelection]]:
        """The nodes of every pair; none for a model that was trained without."""
        if self.processor.node_selection is None:
            return [[NodeSelection()] * len(of_request) for of_request in pairs]
        asked = [
            request.selection_request(*pair)
            for request, of_request in zip(requests, pairs, strict=True)
            for pair in of_request
        ]
        selected = iter((selector or self._load_selector()).select(asked))
        return [list(islice(selected, len(of_request))) for of_request in pairs]

    def _forward(
        self,
        requests: list[ExtractionRequest],
        both_directions: bool = True,
        detector: ObjectDetector | str | None = BUNDLED,
        describer: ImageDescriber | None = None,
        selector: NodeSelector | None = None,
        hypergraph: bool = False,
        memory: ImageMemory | None = None,
    ) -> list[dict]:
        """Answers to `requests`, from one pass of the model."""
        if detector == BUNDLED:  # nobody named another
            detector = self._default_detector(requests)
        look_at_images(requests, detector, describer, self.processor.max_objects, memory)
        ways = [[_ways_round(request, pair, both_directions) for pair in request.pairs] for request in requests]
        pairs = [[way for of_pair in of_request for way in of_pair] for of_request in ways]
        selections = self._select(requests, pairs, selector)
        batch = self.processor(
            text=[request.text for request in requests],
            mentions=[request.mentions for request in requests],
            pairs=pairs,
            images=[request.visual_input(self._sees_pixels) for request in requests],
            direction_given=[[len(of_pair) == 1 for of_pair in of_request for _ in of_pair] for of_request in ways],
            selections=selections,
        )
        if memory is not None and "pixel_values" in batch:
            recall_visual_states(batch, self.model.base_model, memory)
        output = self.model(**batch.to(self.device), output_attentions=True, output_hidden_states=hypergraph)
        scores = output.logits.float().softmax(dim=-1).cpu()
        variances = output.pair_variance.float().cpu()
        attention = visual_attention(output).float().cpu()
        kinds = output.node_types[is_visual(output.node_types)].tolist()
        answers, end = [], 0
        for request, of_request, selected, in_ways in zip(requests, pairs, selections, ways, strict=True):
            rows = range(end, end := end + len(of_request))
            seen = [
                _attended(request, selection, kinds, weights)
                for selection, weights in zip(selected, attention[rows], strict=True)
            ]
            graphs = [
                self._hypergraph(output, row, request, pair, selection) if hypergraph else None
                for row, pair, selection in zip(rows, of_request, selected, strict=True)
            ]
            scored = iter(zip(of_request, scores[rows], variances[rows], seen, graphs, strict=True))
            best = [self._likelier(*islice(scored, len(of_pair))) for of_pair in in_ways]
            answers.append(self._answer(request, best))
        return answers

    def postprocess(self, answers: list[dict]) -> dict:
        """The answer to the one request of `preprocess`."""
        return answers[0]

    def get_iterator(
        self, inputs, num_workers: int, batch_size: int, preprocess_params, forward_params, postprocess_params
    ) -> Iterator[dict]:
        """Batches of requests; sentences differ in their pairs, so the stock collation of tensors does not fit."""
        for chunk in _chunks(enumerate(inputs), batch_size):
            requests = [request for numbered in chunk for request in self._read(*numbered, **preprocess_params)]
            for answer in self.forward(requests, **forward_params):
                yield self.postprocess([answer], **postprocess_params)

    def _read(self, number: int, inputs: dict, **preprocess_params) -> list[ExtractionRequest]:
        """`preprocess`, which says of several requests the one that is wrong."""
        try:
            return self.preprocess(inputs, **preprocess_params)
        except (ValueError, OSError) as error:
            error.add_note(f"It is request {number}, counted from 0.")
            raise

    def _likelier(self, given: tuple, reverse: tuple | None = None) -> tuple:
        """Of the directions of a pair the one in which it is likelier that there is a relation at all.

        The higher score would not do: the model is sure of "None" for a true relation the wrong way round.
        """
        if reverse is None:
            return given
        config = self.model.config
        if config.no_relation not in config.label2id:
            raise ValueError(
                f"The model has no label {config.no_relation!r} to compare directions by; "
                'set config.no_relation, or use direction="given".'
            )
        no_relation = config.label2id[config.no_relation]
        return min(given, reverse, key=lambda scored: scored[1][no_relation])

    def _answer(self, request: ExtractionRequest, scored: list[tuple]) -> dict:
        return {
            "pairs": [self._pair(request, *one) for one in scored],
            "objects": request.visible_objects,
            "description": request.description,
        }

    @staticmethod
    def _hypergraph(output, row: int, request: ExtractionRequest, pair, selection: NodeSelection) -> dict | None:
        head, tail = (_entity(request, index)["text"] for index in pair)
        return pair_hypergraph(output, row, node_names(head, tail, request, selection))

    def _pair(self, request: ExtractionRequest, pair, scores, variance, seen: list[dict], hypergraph) -> dict:
        head, tail = (_entity(request, index) for index in pair)
        best = int(scores.argmax())
        labels = self.model.config.id2label
        return {
            "head": head,
            "tail": tail,
            "relation": labels[best],
            "score": float(scores[best]),
            "scores": {labels[i]: float(score) for i, score in enumerate(scores)},
            "entropy": float(torch.special.entr(scores).sum()),
            "variance": float(variance),
            "objects": seen,
            **({"hypergraph": hypergraph} if hypergraph else {}),
        }


# Detectors and describers are named in every call, and loaded once.
_load_detector = lru_cache(maxsize=2)(load_detector)
_load_describer = lru_cache(maxsize=2)(load_describer)


def visual_attention(output) -> torch.Tensor:
    """How much a pair looks at its image and each object, (pairs, 1 + objects); rows sum to one, to zero without any.

    What head and tail drew from their visual nodes in the last layer, on average.
    """
    visual = is_visual(output.node_types)
    if output.node_flow is None:  # a structure without attention looks at nothing
        return output.logits.new_zeros(len(output.logits), int(visual.sum()))
    drawn = output.node_flow[:, [HEAD, TAIL]][..., visual].float().mean(dim=1)
    return drawn / drawn.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(drawn.dtype).tiny)


def _attended(
    request: ExtractionRequest, selection: NodeSelection, kinds: list[int], attention: torch.Tensor
) -> list[dict]:
    """The visual nodes of a pair, those looked at most first; the image counts as one if anything is known of it.

    Args:
        kinds: Index into `NODE_TYPES` of each visual node.
        attention: Of each visual node, (visual nodes,).
    """
    whole = [0.0, 0.0, *map(float, request.image_size)] if request.image_size else None
    nodes = {
        IMAGE: [{"label": "image", "score": 1.0, "box": whole}],
        OBJECT: request.visible_objects,
        VISUAL_PHRASE: [{"label": phrase, "score": 1.0, "box": None} for phrase in selection.visual_phrases],
    }
    seen = []
    for kind, of_kind in nodes.items():
        weights = [float(weight) for weight, other in zip(attention, kinds, strict=True) if other == kind]
        # another request of the batch may have more nodes of the kind: what is too many here is padding
        seen += [{**node, "attention": weight} for node, weight in zip(of_kind, weights, strict=False) if weight > 0]
    return sorted(seen, key=lambda node: -node["attention"])


def _entity(request: ExtractionRequest, index: int) -> dict:
    if request.is_object(index):
        place = request.mentions[index]
        item = request.visible_objects[place]
        return {"text": item["label"], "start": None, "end": None, "box": item["box"], "object": place}
    start, end = request.mentions[index]
    return {"text": request.text[start:end], "start": start, "end": end}


def _ways_round(request: ExtractionRequest, pair: tuple[int, int], both_directions: bool) -> list[tuple[int, int]]:
    """The directions in which a pair is tried; an object can only be a tail."""
    return [pair, pair[::-1]] if both_directions and not request.is_object(pair[1]) else [pair]


def _chunks(items: Iterable, size: int) -> Iterator[list]:
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk


__all__ = ["TASK", "MultimodalRelationExtractionPipeline"]
