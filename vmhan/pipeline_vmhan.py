"""`pipeline("multimodal-relation-extraction")`: sentence, image and entities in, the relation of every pair out."""

import os
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import groupby

import torch
from transformers import Pipeline
from transformers.utils import logging

from .bundled_weights import BUNDLED, bundled_detector_of, load_bundled_detector
from .extraction_request import ExtractionRequest, read_request
from .image_analysis import annotate_images
from .image_cache import ImageCache, cached_visual_states
from .image_description import ImageDescriber
from .node_selection import WORDS, NodeSelector, WordSelector
from .object_detection import NO_DETECTOR, DetectorUnavailable, ObjectDetector
from .pair_rows import PairRow, entity_fields, pair_rows, read_output
from .processor_check import check_processor
from .request_limits import DEFAULT_LIMITS, RequestLimits, read_limits
from .request_stream import ON_ERROR, RequestStream, read_batch_size
from .request_values import read_requests
from .text_checks import unknown_words_warning
from .text_similarity import MeanPooledEncoder

logger = logging.get_logger(__name__)

#: Pairs that go through the hypergraph together, and wordpieces through the text encoder: what bounds the memory.
PAIRS_AT_ONCE, WORDPIECES_AT_ONCE = 128, 16_384
_NOT_GIVEN = object()


class MultimodalRelationExtractionPipeline(Pipeline):
    """Relations between the entities of a sentence with a picture.

    ```python
    extract = pipeline("multimodal-relation-extraction", model="vmhan/weights/vmhan-mini-mnre")
    extract({"text": "Ada met Bob", "entities": ["Ada", "Bob"], "description": "Two people shake hands."})
    ```

    A request is a dict. Its fields: `"text"`; `"entities"`, strings, (start, end) characters or what `pipeline("ner")`
    returns; `"image"`, a path, an address, base64, bytes, a PIL image, an array or what else `load_image_input` takes;
    `"description"`, words about the image; `"objects"`, names or `{"label", "score", "box"}` with pixel corners, by
    default the nouns of the description; `"pairs"`, as the option of this name, before which it goes; `"id"`, which
    comes back with the answer. All but the first two are optional, and absent where they are None or NaN. Where an
    image comes without objects, a detector looks for them; without an image, or a detector, the nouns of the
    description are the objects. Where an image comes without a description, a describer writes one, if there is one,
    or it tells what was detected.

    A model that was trained on MORE relates an entity of the text to an object of the image. Such an entity is a dict:
    `{"box": [left, top, right, bottom]}` in pixels, perhaps with a `"label"`, or `{"object": 0}`, an index into
    `"objects"`. It can only be a tail, has no other direction, and is answered as `{"text", "start", "end", "box",
    "object"}`: its label, None twice, its box and its index into the objects of the answer.

    ```python
    extract({"text": "Zidane watches", "image": "bench.jpg", "entities": ["Zidane", {"box": [40, 10, 210, 300]}]})
    ```

    Several requests are a list, a tuple or a pandas DataFrame, and give a list; or a data set, a generator or anything
    else that can be iterated, and give an iterator, which reads and answers as it is asked, `batch_size` at a time.

    The answer is `{"pairs", "objects", "description", "warnings"}`; warnings are sentences. A pair holds `"head"` and
    `"tail"` (`"text"`, `"start"`, `"end"`), `"relation"`, its probability `"score"`, all `"scores"`, their `"entropy"`
    in nats, the mean `"variance"` of its two Gaussians and its visual nodes as `"objects"`, by falling `"attention"`,
    which sums to one. What a user names has the score 1.

    Args:
        pairs: (head, tail) indices of the entities to relate; by default every two.
        direction: `"best"` tries each pair both ways round and returns the one in which some relation is likelier,
            `"given"` takes head and tail in the order of `pairs`, and reads into it what a model with a direction
            classifier has learnt to.
        detector: What finds the objects of an image: a name or path as `load_detector` takes it, an
            `ObjectDetector`, or `"none"`. By default the bundled one.
        fallback_to_bundled: Whether the bundled detector may stand in, with a warning, for one that cannot be had.
        describer: What describes an image: a model's name or address as `load_describer` takes it, or an
            `ImageDescriber`.
        selector: What selects the nodes of a pair, for a model that was trained with selected nodes: a name as
            `load_selector` takes it, or a `NodeSelector`. By default the one that needs no LLM.
        hypergraph: Whether each pair also holds its `"hypergraph"`, as `pair_hypergraph` makes it.
        cache: An `ImageCache`, so that what was detected, described and encoded of the last images is not made anew.
        limits: How large a request may be: `RequestLimits`, a dict of those that differ from the defaults, or None for
            no limits.
        on_error: What becomes of a request that cannot be answered, the others of its batch are answered whatever:
            `"raise"` its error, which names the request; `"skip"` it, logged and counted; or `"return"`
            `{"error", "index", "id"}` in its place, the last only if it has one.
        batch_size: How many requests go through the model together, 1 by default.
    """

    _load_processor = True
    _load_tokenizer = False
    _load_image_processor = False
    _load_feature_extractor = False

    def __init__(self, model, *, processor=None, batch_size=None, **settings):
        check_processor(processor, model)
        super().__init__(model, processor=processor, batch_size=read_batch_size(batch_size), **settings)

    def save_pretrained(self, save_directory: "str | os.PathLike", **settings) -> None:
        """Saves model and processor, and so all that `pipeline(TASK, model=save_directory)` loads."""
        super().save_pretrained(save_directory, **settings)
        self.processor.save_pretrained(save_directory, **settings)

    def _sanitize_parameters(
        self,
        pairs=None,
        direction=None,
        detector=None,
        fallback_to_bundled=False,
        describer=None,
        selector=None,
        hypergraph=None,
        cache=None,
        limits=_NOT_GIVEN,
        on_error=None,
        **unknown,
    ):
        if unknown:
            raise ValueError(
                f"Unknown options {sorted(unknown)}; there are pairs, direction, detector, fallback_to_bundled, "
                "describer, selector, hypergraph, cache, limits, on_error and batch_size."
            )
        if direction not in (None, "best", "given"):
            raise ValueError(f'direction is {direction!r}; it is "best" or "given".')
        if on_error not in (None, *ON_ERROR):
            raise ValueError(f'on_error is {on_error!r}; it is "raise", "skip" or "return".')
        of_requests = {} if pairs is None else {"pairs": list(pairs) if isinstance(pairs, Iterator) else pairs}
        if limits is not _NOT_GIVEN:
            of_requests["limits"] = read_limits(limits)
        chosen = {} if direction is None else {"both_directions": direction == "best"}
        further = {"hypergraph": hypergraph, "cache": cache}
        chosen |= {name: value for name, value in further.items() if value is not None}
        tools = {
            "detector": (detector, partial(self._load_detector, fallback_to_bundled=fallback_to_bundled)),
            "describer": (describer, _load_describer),
            "selector": (selector, self._load_selector),
        }
        for name, (tool, load) in tools.items():
            if tool is not None:
                chosen[name] = load(tool) if isinstance(tool, str | os.PathLike) else tool
        return of_requests, chosen, {} if on_error is None else {"on_error": on_error}

    def __call__(self, inputs, *, batch_size=None, num_workers=None, **options):
        """Answers one request, or several, as the class says. `num_workers` changes nothing here."""
        batch_size = self._batch_size if batch_size is None else read_batch_size(batch_size)
        defaults = self._preprocess_params, self._forward_params, self._postprocess_params
        of_request, of_model, of_stream = (
            old | new for old, new in zip(defaults, self._sanitize_parameters(**options), strict=True)
        )
        stream = RequestStream(
            read=lambda one: self.preprocess(one, **of_request),
            ask=lambda requests: self.postprocess(self.forward(requests, **of_model)),
            **of_stream,
        )
        requests, is_lazy = read_requests(inputs)
        if requests is None:
            return stream.answer_one(inputs)
        answers = stream.answer_all(requests, batch_size)
        return answers if is_lazy else list(answers)

    def preprocess(self, inputs: dict, pairs=None, limits: RequestLimits = DEFAULT_LIMITS) -> ExtractionRequest:
        """The request, checked."""
        scripts = self.model.config.training_scripts
        request = read_request(inputs, pairs, self.processor.max_objects, limits, scripts)
        self.processor.check_sentence(request.text, request.mentions, request.pairs)
        if warning := unknown_words_warning(request.text, self.processor.tokenizer):
            request.warnings.append(warning)
        if request.image and "pixels" in self.model.config.visual_features and not self._sees_pixels:
            logger.warning_once(
                "This model was trained on features of pixels, but holds no vision encoder to compute them; "
                "the image changes nothing."
            )
        return request

    def _load_detector(self, name: "str | os.PathLike", fallback_to_bundled: bool = False) -> ObjectDetector | None:
        """The detector `name`, or the bundled one, which comes with the package or with the model."""
        if name == NO_DETECTOR:
            return None
        try:
            return self._bundled_detector if name == BUNDLED else _load_detector(name)
        except OSError as error:  # DetectorUnavailable, of this code or of the installed package
            if name == BUNDLED or not fallback_to_bundled:
                raise
            stand_in = self._load_detector(BUNDLED)
            logger.warning(f"{error} The bundled detector stands in.")
            return stand_in

    @property
    def _bundled_detector(self) -> ObjectDetector:
        revision = getattr(self.model.config, "_commit_hash", None)
        return _load_bundled_detector(bundled_detector_of(self.model.name_or_path, revision))

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
        if name == WORDS:
            return WordSelector(**counts, encode=encode)
        try:
            from vmhan.llm.loading import load_selector
        except ImportError as error:
            raise ImportError(_NEEDS_PACKAGE.format(f"The selector {name!r}")) from error
        return load_selector(name, encode=encode, **counts)

    def _forward(
        self,
        requests: list[ExtractionRequest],
        both_directions: bool = True,
        detector: ObjectDetector | str | None = BUNDLED,
        describer: ImageDescriber | None = None,
        selector: NodeSelector | None = None,
        hypergraph: bool = False,
        cache: ImageCache | None = None,
    ) -> list[dict]:
        """Answers to `requests`, whose sentences and images are encoded once."""
        self._enrich(requests, detector, describer, cache)
        rows = [pair_rows(request, both_directions) for request in requests]
        flat = [row for of_request in rows for row in of_request]
        self._select_nodes(flat, selector)
        batch = self._build_batch(requests, rows)
        if cache is not None and "pixel_values" in batch:
            cached_visual_states(batch, self.model.base_model, cache)
        self._run_model(batch, flat, hypergraph)
        return [self._build_answer(request, of_request) for request, of_request in zip(requests, rows, strict=True)]

    def postprocess(self, answers: list[dict]) -> list[dict]:
        """Answers are finished as they are."""
        return answers

    def _enrich(
        self,
        requests: list[ExtractionRequest],
        detector: ObjectDetector | str | None,
        describer: ImageDescriber | None,
        cache: ImageCache | None,
    ) -> None:
        """Fills in the objects and descriptions that users left out."""
        if detector == BUNDLED:  # nobody named another
            detector = self._default_detector(requests)
        annotate_images(requests, detector, describer, self.processor.max_objects, cache)

    def _select_nodes(self, rows: list[PairRow], selector: NodeSelector | None) -> None:
        """Fills in the selected nodes of every pair; none for a model that was trained without."""
        if self.processor.node_selection is None:
            return
        asked = [row.request.selection_request(*row.pair) for row in rows]
        for row, selection in zip(rows, (selector or self._load_selector()).select(asked), strict=True):
            row.selection = selection

    def _build_batch(self, requests: list[ExtractionRequest], rows: list[list[PairRow]]):
        """The model's batch; `rows` are those of each request."""
        return self.processor(
            text=[request.text for request in requests],
            mentions=[request.mentions for request in requests],
            pairs=[[row.pair for row in of_request] for of_request in rows],
            images=[request.visual_input(self._sees_pixels) for request in requests],
            direction_given=[[row.direction_given for row in of_request] for of_request in rows],
            selections=[[row.selection for row in of_request] for of_request in rows],
        )

    def _run_model(self, batch, rows: list[PairRow], hypergraph: bool) -> None:
        """Fills in the results of rows. Sentences and images are encoded once, pairs take turns."""
        batch = batch.to(self.device)
        direction_given = batch.pop("direction_given")
        sentences = max(1, WORDPIECES_AT_ONCE // batch["input_ids"].shape[1])
        encoded = self.model.base_model.encode(**batch, sentences_at_once=sentences)
        for start in range(0, len(rows), PAIRS_AT_ONCE):
            end = start + PAIRS_AT_ONCE
            output = self.model(
                encoded=encoded.pairs(start, end),
                direction_given=direction_given[start:end],
                output_attentions=True,
                output_hidden_states=hypergraph,
            )
            read_output(output, rows[start:end], self.model.config, hypergraph)

    def _build_answer(self, request: ExtractionRequest, rows: list[PairRow]) -> dict:
        directions = [list(of_pair) for _, of_pair in groupby(rows, key=lambda row: row.number)]
        return {
            **({} if request.id is None else {"id": request.id}),
            "pairs": [self._build_pair(self._likelier(*of_pair)) for of_pair in directions],
            "objects": request.visible_objects,
            "description": request.description,
            "warnings": request.warnings,
        }

    def _likelier(self, given: PairRow, reverse: PairRow | None = None) -> PairRow:
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
        return min(given, reverse, key=lambda row: row.result.unrelated)

    def _build_pair(self, row: PairRow) -> dict:
        head, tail = (entity_fields(row.request, index) for index in row.pair)
        labels, result = self.model.config.id2label, row.result
        best = int(result.scores.argmax())
        return {
            "head": head,
            "tail": tail,
            "relation": labels[best],
            "score": float(result.scores[best]),
            "scores": {labels[i]: float(score) for i, score in enumerate(result.scores)},
            "entropy": float(torch.special.entr(result.scores).sum()),
            "variance": result.variance,
            "objects": result.objects,
            **({"hypergraph": result.hypergraph} if result.hypergraph else {}),
        }


# Detectors and describers are named in every call, and loaded once. A model from the Hub comes with the bundled
# detector and selection by words; what else can be named lies in the folders of the package.
_NEEDS_PACKAGE = "{} needs the package, which did not come with the model; pip install vmhan."
_load_bundled_detector = lru_cache(maxsize=2)(load_bundled_detector)


@lru_cache(maxsize=2)
def _load_detector(name: "str | os.PathLike") -> ObjectDetector:
    try:
        from vmhan.detectors.loading import load_detector
    except ImportError as error:
        raise ImportError(_NEEDS_PACKAGE.format(f"The detector {os.fspath(name)!r}")) from error
    return load_detector(name)


@lru_cache(maxsize=2)
def _load_describer(name: "str | os.PathLike") -> ImageDescriber:
    try:
        from vmhan.llm.captioning import load_describer
    except ImportError as error:
        raise ImportError(_NEEDS_PACKAGE.format(f"The describer {os.fspath(name)!r}")) from error
    return load_describer(name)


__all__ = ["MultimodalRelationExtractionPipeline"]
