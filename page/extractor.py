"""The model behind the page: loaded once, shared by all visitors."""

from pathlib import Path
from threading import Lock, RLock

from page import spaces
from vmhan.bundled_weights import BUNDLED_MODEL
from vmhan.object_detection import NO_DETECTOR

on_gpu = spaces.GPU if spaces else lambda function: function


class Extractor:
    """The pipeline of one model, with detectors and a describer; all loaded when first needed.

    Args:
        model: Folder, or repository on the Hub.
        detector: Name of the detector that is chosen first, as `load_detector` takes it.
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

    @property
    def name(self) -> str:
        """The model's name for people."""
        return Path(self.model).name if Path(self.model).is_dir() else self.model

    def missing(self, detector: str) -> list[str]:
        """What has to be loaded before this detector, or "none", and the model can answer, in words."""
        parts = {"pipeline": "the model"}
        if detector != NO_DETECTOR:
            parts["detector", detector] = "the detector"
        return [name for key, name in parts.items() if key not in self._loaded]

    @property
    def pipeline(self):
        """The `transformers` pipeline.

        Raises:
            OSError, ValueError: The model cannot be had; the next call tries again.
        """
        return self._once("pipeline", self._load_pipeline)

    @property
    def cache(self):
        """What was seen in the last images."""
        from vmhan.image_cache import ImageCache

        return self._once("cache", ImageCache)

    @property
    def labels(self) -> list[str]:
        """The relations that the model knows."""
        return list(self.pipeline.model.config.id2label.values())

    @property
    def no_relation(self) -> str:
        """The model's label of pairs without a relation."""
        return self.pipeline.model.config.no_relation

    def detect_with(self, name: str):
        """The detector of this name, or None for "none".

        Raises:
            DetectorUnavailable: Its weights cannot be had.
        """
        from vmhan.detectors.loading import load_detector

        return None if name == NO_DETECTOR else self._once(("detector", name), lambda: load_detector(name))

    def describe_with(self):
        """The describer, or None if none was named."""
        from vmhan.llm.captioning import load_describer

        return self.describer and self._once("describer", lambda: load_describer(self.describer))

    def suggest_with(self):
        """The tagger, or None if none was named."""
        from page.tagger import Tagger

        return self.tagger and self._once("tagger", lambda: Tagger(self.tagger))

    def describe(self, picture, detector: str) -> str | None:
        """Words about a picture: of the describer, else what the detector finds, else None.

        Args:
            picture: A PIL image.
            detector: Name of the detector, or "none".

        Raises:
            DetectorUnavailable, OSError: The tool cannot be had.
        """
        from vmhan.image_description import compose_description
        from vmhan.visual_inputs import visual_key

        describer = self.describe_with()
        tool = describer or self.detect_with(detector)
        if tool is None:
            return None
        look = describer.describe if describer else tool.detect
        (seen,) = self.cache.get_or_compute(tool, [visual_key({"image": picture})], lambda _: look([picture]))
        return seen if describer else compose_description(item.label for item in seen)

    @on_gpu
    def __call__(self, question: dict, detector: str) -> dict:
        """The answer of the pipeline, one at a time: tokenizers are not safe to share between threads.

        Args:
            question: As the pipeline takes it.
            detector: Name of the detector that looks for the objects of the image, or "none".
        """
        tools = {"detector": self.detect_with(detector) or detector}
        if self.describer and question.get("image") is not None:
            tools["describer"] = self.describe_with()
        extract = self.pipeline
        with self._answering:
            return extract(question, **tools)

    def _once(self, key, load):
        with self._loading:
            if key not in self._loaded:
                self._loaded[key] = load()
            return self._loaded[key]

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
