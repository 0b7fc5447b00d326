"""The model behind the page: loaded once, shared by all visitors."""

from pathlib import Path
from threading import Lock, RLock

from page import spaces
from vmhan.bundled_weights import BUNDLED_MODEL
from vmhan.object_detection import NO_DETECTOR

on_gpu = spaces.GPU if spaces else lambda function: function


class Extractor:
    """The pipeline of one model, with detectors, a describer and a tagger; each is loaded when first needed.

    Args:
        model: Folder, or repository on the Hub.
        detector: Name of the detector that is selected first, as `load_detector` takes it.
        describer: Name of a describer, as `load_describer` takes it.
        tagger: Name of a token-classification model that suggests entities.
    """

    def __init__(
        self,
        model: str | Path = BUNDLED_MODEL,
        detector: str | None = None,
        describer: str | None = None,
        tagger: str | None = None,
    ):
        self.model, self.detector, self.describer, self.tagger = str(model), detector, describer, tagger
        self._loaded = {}
        self._loading, self._answering = RLock(), Lock()

    @on_gpu
    def __call__(self, request: dict, detector: str) -> dict:
        """Answers a request, one at a time: tokenizers are not safe to share between threads.

        Args:
            request: As the pipeline takes it.
            detector: Name of the detector that finds the objects of the image, or "none".

        Returns:
            The pipeline's answer.
        """
        tools = {"detector": self.get_detector(detector) or detector}
        if self.describer and request.get("image") is not None:
            tools["describer"] = self.get_describer()
        extract = self.get_pipeline()
        with self._answering:
            return extract(request, **tools)

    @on_gpu
    def find_mentions(self, sentence: str) -> list | None:
        """Finds the mentions of a sentence, as `FoundMention`; None if the model has no mention head.

        Raises:
            OSError, ValueError: The model is unavailable; the next call tries again.
        """
        from vmhan.mention_finder import find_mentions

        extract = self.get_pipeline()
        if extract.model.mention_head is None:
            return None
        with self._answering:
            (found,) = find_mentions([sentence], extract.model, extract.processor)
        return found

    def describe(self, image, detector: str) -> str | None:
        """Describes an image by the describer, or else by the objects that the detector finds.

        Args:
            image: A PIL image.
            detector: Name of the detector, or "none".

        Returns:
            The description, or None without a describer and a detector.

        Raises:
            DetectorUnavailable, OSError: The tool is unavailable.
        """
        from vmhan.image_description import compose_description
        from vmhan.visual_inputs import visual_key

        describer = self.get_describer()
        tool = describer or self.get_detector(detector)
        if tool is None:
            return None
        analyze = describer.describe if describer else tool.detect
        (found,) = self.cache.get_or_compute(tool, [visual_key({"image": image})], lambda _: analyze([image]))
        return found if describer else compose_description(item.label for item in found)

    # The model

    @property
    def name(self) -> str:
        """The model's name on the page."""
        return Path(self.model).name if Path(self.model).is_dir() else self.model

    @property
    def labels(self) -> list[str]:
        """The model's relation labels."""
        return list(self.get_pipeline().model.config.id2label.values())

    @property
    def annotation_styles(self) -> list[str]:
        """The model's annotation styles, the default one first; empty if it knows none.

        They are read from its config, which needs no weights.
        """
        return self._load_once("config", self._load_config).annotation_styles

    @property
    def no_relation(self) -> str:
        """The model's label of pairs without a relation."""
        return self.get_pipeline().model.config.no_relation

    # Loading

    def missing(self, detector: str) -> list[str]:
        """Names what has to be loaded before the model can answer with this detector, or "none"."""
        parts = {"pipeline": "the model"}
        if detector != NO_DETECTOR:
            parts["detector", detector] = "the detector"
        return [name for key, name in parts.items() if key not in self._loaded]

    @property
    def cache(self):
        """The cache of the last images' objects and descriptions, shared with the pipeline."""
        from vmhan.image_cache import ImageCache

        return self._load_once("cache", ImageCache)

    def get_pipeline(self):
        """Loads the `transformers` pipeline.

        Raises:
            OSError, ValueError: The model is unavailable; the next call tries again.
        """
        return self._load_once("pipeline", self._load_pipeline)

    def get_detector(self, name: str):
        """Loads the detector of this name; None for "none".

        Raises:
            DetectorUnavailable: Its weights are unavailable.
        """
        from vmhan.detectors.loading import load_detector

        return None if name == NO_DETECTOR else self._load_once(("detector", name), lambda: load_detector(name))

    def get_describer(self):
        """Loads the describer; None if none was named."""
        from vmhan.llm.captioning import load_describer

        return self.describer and self._load_once("describer", lambda: load_describer(self.describer))

    def get_tagger(self):
        """Loads the tagger; None if none was named."""
        from page.tagger import Tagger

        return self.tagger and self._load_once("tagger", lambda: Tagger(self.tagger))

    def _load_once(self, key, load):
        with self._loading:
            if key not in self._loaded:
                self._loaded[key] = load()
            return self._loaded[key]

    def _load_config(self):
        from vmhan.configuration_vmhan import VMHANConfig
        from vmhan.network import hub_settings

        return VMHANConfig.from_pretrained(self.model, **hub_settings(self.model))

    def _load_pipeline(self):
        folder = Path(self.model)
        if (folder.is_dir() or folder == BUNDLED_MODEL) and not any(folder.glob("*.safetensors")):
            raise FileNotFoundError(
                f'No model weights (*.safetensors) in "{self.model}"; train a model first, '
                "or name another folder or a repository on the Hub with --model."
            )
        from safetensors import SafetensorError
        from transformers import pipeline

        from vmhan.registrations import TASK

        try:
            return pipeline(TASK, model=self.model, hypergraph=True, cache=self.cache)
        except SafetensorError as error:
            raise OSError(
                f'The weights in "{self.model}" are damaged, or a pointer of Git LFS in their place ({error}); '
                "fetch them with `git lfs pull`, or download them anew."
            ) from error
