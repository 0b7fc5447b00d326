"""`pipeline("multimodal-relation-extraction")`: from sentence, image and entities to the relation of every pair."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Any, overload

import torch
from transformers import BatchFeature, Pipeline
from transformers.utils import logging

from .bundled_weights import BUNDLED, bundled_detector_of, load_bundled_detector
from .extraction_answer import ExtractionAnswer, build_answer
from .extraction_request import ExtractionInput, ExtractionRequest, read_request
from .found_entities import add_found_entities
from .image_analysis import annotate_images
from .image_cache import ImageCache, cached_visual_states
from .image_description import ImageDescriber
from .mention_finder import find_mentions
from .node_selection import WORDS, NodeSelector, WordSelector
from .object_detection import NO_DETECTOR, DetectorUnavailable, ObjectDetector
from .pair_rows import PairRow, PairScores, pair_rows, read_scores
from .processor_check import check_processor
from .request_limits import DEFAULT_LIMITS, RequestLimits, read_limits
from .request_stream import ON_ERROR, RequestStream, read_batch_size
from .request_values import read_requests
from .text_checks import unknown_words_warning
from .text_similarity import MeanPooledEncoder

if TYPE_CHECKING:  # the Hub's loader runs a file again that it has not loaded itself
    from .modeling_vmhan import VMHANForRelationExtraction
    from .processing_vmhan import VMHANProcessor

logger = logging.get_logger(__name__)

#: Pairs that go through the hypergraph together, and wordpieces through the text encoder: they bound the memory.
PAIRS_AT_ONCE, WORDPIECES_AT_ONCE = 128, 16_384
_NOT_GIVEN: Any = object()


class MultimodalRelationExtractionPipeline(Pipeline):
    """Extracts the relations between the entities of a sentence with an image.

    ```python
    extract = pipeline("multimodal-relation-extraction", model="vmhan/weights/vmhan-mini-mnre")
    extract({"text": "Ada met Bob", "entities": ["Ada", "Bob"], "description": "Two people shake hands."})
    ```

    A request is a dict, `ExtractionInput`. Its fields: `"text"`; `"entities"`, strings, (start, end) characters or
    what `pipeline("ner")` returns; `"image"`, a path, an address, base64, bytes, a PIL image, an array or what else
    `load_image_input` takes; `"description"`, text about the image; `"objects"`, names or `{"label", "score", "box"}`
    with pixel corners; `"pairs"` and `"annotation_style"`, as the options of these names, over which they take
    precedence; `"id"`, which comes back with the answer. All but the text are optional, and absent where they are None
    or NaN. Without entities the model finds its own, if it has a mention head: persons, places and others, of which
    every two make a pair. Where an image comes without objects, a detector detects them; without an image, or a
    detector, the nouns of the description are the objects. Where an image comes without a description, a describer
    writes one, or else it is composed of the detected objects.

    A model that was trained on MORE relates an entity of the text to an object of the image. Such an entity is a dict:
    `{"box": [left, top, right, bottom]}` in pixels, perhaps with a `"label"`, or `{"object": 0}`, an index into
    `"objects"`. It can only be a tail, has no other direction, and is answered as `{"text", "start", "end", "box",
    "object"}`: its label, None twice, its box and its index into the objects of the answer.

    ```python
    extract({"text": "Zidane watches", "image": "bench.jpg", "entities": ["Zidane", {"box": [40, 10, 210, 300]}]})
    ```

    Several requests are a list, a tuple or a pandas DataFrame, and give a list; or a data set, a generator or any
    other iterable, and give an iterator, which reads and answers lazily, `batch_size` at a time.

    The answer is an `ExtractionAnswer`, `{"pairs", "entities", "objects", "description", "warnings"}`; warnings are
    sentences. An entity holds `"text"`, `"start"`, `"end"`, its `"kind"`, such as "person", and its `"score"`. A pair
    holds `"head"` and `"tail"` (`"text"`, `"start"`, `"end"`), `"relation"`, its probability `"score"`, all
    `"scores"`, their `"entropy"` in nats, the mean `"variance"` of its two Gaussians and its visual nodes as
    `"objects"`, by falling `"attention"`, which sums to one. An object that a user names has the score 1.

    Args:
        pairs: (head, tail) indices of the entities to relate; by default every two.
        direction: `"best"` scores each pair in both directions and returns the one in which any relation is likelier,
            `"given"` takes head and tail in the order of `pairs`, and reads into it what a model with a direction
            classifier has learned to.
        annotation_style: Habit of annotation that the model follows, one of its config's `annotation_styles`, by
            default the first: what annotators of plain sentences would mark, or those of a benchmark.
        detector: Detects the objects of an image: a name or path as `load_detector` takes it, an `ObjectDetector`, or
            `"none"`. By default the bundled one.
        fallback_to_bundled: Whether to fall back to the bundled detector, with a warning, if another is unavailable.
        describer: Describes an image: a model's name or address as `load_describer` takes it, or an `ImageDescriber`.
        selector: Selects the nodes of a pair, for a model that was trained with selected nodes: a name as
            `load_selector` takes it, or a `NodeSelector`. By default the one that needs no LLM.
        hypergraph: Whether each pair also holds its `"hypergraph"`, as `pair_hypergraph` builds it.
        cache: An `ImageCache` of the objects, descriptions and encodings of the last images.
        limits: How large a request may be: `RequestLimits`, a dict of those that differ from the defaults, or None for
            no limits.
        on_error: Treatment of a request that has an error, which leaves the others of its batch alone: `"raise"` the
            error, which names the request; `"skip"` the request, logged and counted; or `"return"` `{"error", "index",
            "id"}`, a `FailedRequest`, in place of the answer.
        batch_size: Requests that go through the model together, 1 by default.
    """

    model: "VMHANForRelationExtraction"
    processor: "VMHANProcessor"

    _load_processor = True
    _load_tokenizer = False
    _load_image_processor = False
    _load_feature_extractor = False

    def __init__(self, model, *, processor=None, batch_size=None, **settings):
        check_processor(processor, model)
        super().__init__(model, processor=processor, batch_size=read_batch_size(batch_size), **settings)

    def save_pretrained(self, save_directory: "str | os.PathLike", **settings) -> None:
        """Saves model and processor: all that `pipeline(TASK, model=save_directory)` loads."""
        super().save_pretrained(save_directory, **settings)
        self.processor.save_pretrained(save_directory, **settings)

    def _sanitize_parameters(
        self,
        pairs=None,
        direction=None,
        annotation_style=None,
        detector=None,
        fallback_to_bundled=False,
        describer=None,
        selector=None,
        hypergraph=None,
        cache=None,
        limits=_NOT_GIVEN,
        on_error=None,
        **unknown,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Sorts options into those of `preprocess`, of `_forward` and of `RequestStream`."""
        if unknown:
            raise ValueError(
                f"Unknown options {sorted(unknown)}; there are pairs, direction, annotation_style, detector, "
                "fallback_to_bundled, describer, selector, hypergraph, cache, limits, on_error and batch_size."
            )
        if direction not in (None, "best", "given"):
            raise ValueError(f'direction is {direction!r}; it is "best" or "given".')
        if on_error not in (None, *ON_ERROR):
            raise ValueError(f'on_error is {on_error!r}; it is "raise", "skip" or "return".')
        of_request: dict[str, Any] = {}
        if pairs is not None:
            of_request["pairs"] = list(pairs) if isinstance(pairs, Iterator) else pairs
        if annotation_style is not None:
            self.model.config.find_annotation_style(annotation_style)  # fails at once, not for every request
            of_request["annotation_style"] = annotation_style
        if limits is not _NOT_GIVEN:
            of_request["limits"] = read_limits(limits)
        of_model: dict[str, Any] = {} if direction is None else {"both_directions": direction == "best"}
        further = {"hypergraph": hypergraph, "cache": cache}
        of_model |= {name: value for name, value in further.items() if value is not None}
        tools = {
            "detector": (detector, partial(self._load_detector, fallback_to_bundled=fallback_to_bundled)),
            "describer": (describer, _load_describer),
            "selector": (selector, self._load_selector),
        }
        for name, (tool, load) in tools.items():
            if tool is not None:
                of_model[name] = load(tool) if isinstance(tool, str | os.PathLike) else tool
        return of_request, of_model, {} if on_error is None else {"on_error": on_error}

    @overload
    def __call__(self, inputs: ExtractionInput, **options: Any) -> ExtractionAnswer: ...
    @overload
    def __call__(self, inputs: Sequence[ExtractionInput], **options: Any) -> list[ExtractionAnswer]: ...
    @overload
    def __call__(self, inputs: Any, **options: Any) -> Any: ...

    def __call__(
        self, inputs: Any, *, batch_size: int | None = None, num_workers: int | None = None, **options: Any
    ) -> Any:
        """Answers one request, or several, as the class says. `num_workers` changes nothing here."""
        batch_size = self._batch_size if batch_size is None else read_batch_size(batch_size)
        defaults = self._preprocess_params, self._forward_params, self._postprocess_params
        of_request, of_model, of_stream = (
            old | new for old, new in zip(defaults, self._sanitize_parameters(**options), strict=True)
        )
        stream = RequestStream(
            read=lambda request: self.preprocess(request, **of_request),
            answer=lambda requests: self.postprocess(self.forward(requests, **of_model)),
            **of_stream,
        )
        requests, is_lazy = read_requests(inputs)
        if requests is None:
            return stream.answer_one(inputs)
        answers = stream.answer_all(requests, batch_size)
        return answers if is_lazy else list(answers)

    def preprocess(
        self,
        inputs: Mapping[str, Any],
        pairs: Any = None,
        limits: RequestLimits = DEFAULT_LIMITS,
        annotation_style: str | None = None,
    ) -> ExtractionRequest:
        """Checks a request."""
        config = self.model.config
        request = read_request(
            inputs, pairs, self.processor.max_objects, limits, config.training_scripts, annotation_style
        )
        config.find_annotation_style(request.annotation_style)
        if request.entities is None and self.model.mention_head is None:
            raise ValueError(
                'This model finds no entities by itself; give "entities", a list of at least two mentions in the '
                "text, or take a model with mention_kinds in its config."
            )
        self.processor.check_sentence(request.text, request.mentions, request.pairs)
        if warning := unknown_words_warning(request.text, self.processor.tokenizer):
            request.warnings.append(warning)
        if request.image and "pixels" in config.visual_features and not self._encodes_pixels:
            logger.warning_once(
                "This model was trained on features of pixels, but holds no vision encoder to compute them; "
                "the image changes nothing."
            )
        return request

    def _forward(
        self,
        requests: list[ExtractionRequest],
        both_directions: bool = True,
        detector: ObjectDetector | str | None = BUNDLED,
        describer: ImageDescriber | None = None,
        selector: NodeSelector | None = None,
        hypergraph: bool = False,
        cache: ImageCache | None = None,
    ) -> list[ExtractionAnswer]:
        """Answers requests, whose sentences and images are encoded once."""
        self._find_entities(requests)
        self._enrich(requests, detector, describer, cache)
        rows_of_requests = [pair_rows(request, both_directions) for request in requests]
        rows = list(chain.from_iterable(rows_of_requests))
        self._select_nodes(rows, selector)
        if rows:
            batch = self._build_batch([of_request for of_request in rows_of_requests if of_request])
            if cache is not None and "pixel_values" in batch:
                cached_visual_states(batch, self.model.vmhan, cache)
            for row, scores in zip(rows, self._run_model(batch, rows, hypergraph), strict=True):
                row.scores = scores
        return [
            build_answer(request, of_request, self.model.config)
            for request, of_request in zip(requests, rows_of_requests, strict=True)
        ]

    def postprocess(self, model_outputs: Any) -> list[ExtractionAnswer]:
        """Returns the answers, which `_forward` has finished."""
        return model_outputs

    def _find_entities(self, requests: Sequence[ExtractionRequest]) -> None:
        """Fills in the entities of all requests that lack them, which one call finds."""
        lacking = [request for request in requests if request.entities is None]
        if lacking:
            found = find_mentions([request.text for request in lacking], self.model, self.processor)
            for request, mentions in zip(lacking, found, strict=True):
                add_found_entities(request, mentions)

    def _enrich(
        self,
        requests: Sequence[ExtractionRequest],
        detector: ObjectDetector | str | None,
        describer: ImageDescriber | None,
        cache: ImageCache | None,
    ) -> None:
        """Fills in the objects and descriptions that requests lack."""
        if isinstance(detector, str):  # BUNDLED, where no other was named
            detector = self._default_detector(requests)
        annotate_images(requests, detector, describer, self.processor.max_objects, cache)

    def _select_nodes(self, rows: Sequence[PairRow], selector: NodeSelector | None) -> None:
        """Fills in the selected nodes of every row; none for a model that was trained without."""
        if self.processor.node_selection is None:
            return
        if selector is None:
            selector = self._load_selector(WORDS)
        requests = [row.request.selection_request(*row.pair) for row in rows]
        for row, selection in zip(rows, selector.select(requests), strict=True):
            row.selection = selection

    def _build_batch(self, rows_of_requests: Sequence[Sequence[PairRow]]) -> BatchFeature:
        """Builds the batch of the model from the rows of requests, at least one of each."""
        requests = [rows[0].request for rows in rows_of_requests]
        batch = self.processor(
            text=[request.text for request in requests],
            mentions=[request.mentions for request in requests],
            pairs=[[row.pair for row in rows] for rows in rows_of_requests],
            images=[request.visual_input(self._encodes_pixels) for request in requests],
            direction_given=[[row.direction == "given" for row in rows] for rows in rows_of_requests],
            selections=[[row.selection for row in rows] for rows in rows_of_requests],
        )
        if self.model.config.annotation_styles:
            find_style = self.model.config.find_annotation_style
            styles = [find_style(row.request.annotation_style) for row in chain.from_iterable(rows_of_requests)]
            batch["annotation_style"] = torch.tensor(styles)  # (pairs,)
        return batch

    def _run_model(self, batch: BatchFeature, rows: Sequence[PairRow], hypergraph: bool) -> list[PairScores]:
        """Computes the scores of every row: sentences and images are encoded once, pairs in chunks."""
        batch = batch.to(self.device)
        direction_given = batch.pop("direction_given")  # (pairs,)
        sentences_at_once = max(1, WORDPIECES_AT_ONCE // batch["input_ids"].shape[1])
        encoded = self.model.vmhan.encode(**batch, sentences_at_once=sentences_at_once)
        scores = []
        for start in range(0, len(rows), PAIRS_AT_ONCE):
            end = start + PAIRS_AT_ONCE
            output = self.model(
                encoded=encoded.pairs(start, end),
                direction_given=direction_given[start:end],
                output_attentions=True,
                output_hidden_states=hypergraph,
            )
            scores += read_scores(output, rows[start:end], self.model.config, hypergraph)
        return scores

    @property
    def _encodes_pixels(self) -> bool:
        return self.model.config.vision_config is not None and self.processor.image_processor is not None

    def _load_detector(self, name: "str | os.PathLike", fallback_to_bundled: bool = False) -> ObjectDetector | None:
        """Loads a detector by name; the bundled one comes with the package or with the model."""
        if name == NO_DETECTOR:
            return None
        if name == BUNDLED:
            return self._bundled_detector
        try:
            return _load_detector(name)
        except (OSError, ImportError) as error:  # not `DetectorUnavailable`: that of the installed package is another
            if not fallback_to_bundled:
                raise
            detector = self._bundled_detector
            logger.warning(f"{error} Falling back to the bundled detector.")
            return detector

    @property
    def _bundled_detector(self) -> ObjectDetector:
        revision = getattr(self.model.config, "_commit_hash", None)
        return _load_bundled_detector(bundled_detector_of(self.model.name_or_path, revision))

    def _default_detector(self, requests: Sequence[ExtractionRequest]) -> ObjectDetector | None:
        """Loads the bundled detector, if it is available and any image needs it."""
        if not any(request.image is not None and request.objects is None for request in requests):
            return None
        try:
            return self._bundled_detector
        except DetectorUnavailable as error:  # of this code, which loads the bundled one
            logger.warning_once(f"No objects are detected in images: {error}")
            return None

    def _load_selector(self, name: str) -> NodeSelector:
        """Loads a selector by name, which selects as many nodes as the model was trained with.

        Raises:
            ValueError: The model was trained without selected nodes.
        """
        selection = self.processor.node_selection
        if selection is None:
            raise ValueError(f"The model was trained without selected nodes; leave the selector {name!r} out.")
        counts = {key: value for key, value in selection.items() if key != "selector"}
        encode = MeanPooledEncoder(self.model.vmhan.text_model, self.processor.tokenizer)
        if name != WORDS:
            return _load_from_package("selector", name, encode=encode, **counts)
        if selection["selector"] != WORDS:
            logger.warning_once(
                "An LLM selected the nodes that this model was trained with; this pipeline selects them without one."
            )
        return WordSelector(**counts, encode=encode)


def _load_from_package(kind: str, name: "str | os.PathLike", **settings: Any) -> Any:
    """Loads a tool by name from a folder of the package, which does not come with a model from the Hub.

    Imports have to be inside `try`: the Hub's loader takes all others for requirements of the model.
    """
    try:
        if kind == "detector":
            from vmhan.detectors.loading import load_detector as load
        elif kind == "describer":
            from vmhan.llm.captioning import load_describer as load
        else:
            from vmhan.llm.loading import load_selector as load
    except ImportError as error:
        raise ImportError(
            f"The {kind} {os.fspath(name)!r} needs the package, which does not come with the model; pip install vmhan."
        ) from error
    return load(os.fspath(name), **settings)


# Detectors and describers are named in every call, and loaded once.
_load_detector = lru_cache(maxsize=2)(partial(_load_from_package, "detector"))
_load_describer = lru_cache(maxsize=2)(partial(_load_from_package, "describer"))
_load_bundled_detector = lru_cache(maxsize=2)(load_bundled_detector)

__all__ = ["MultimodalRelationExtractionPipeline"]
