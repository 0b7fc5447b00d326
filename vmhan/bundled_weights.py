"""Weights that come with the package: the bundled model and detector. A model on the Hub brings the detector too."""

from pathlib import Path
from typing import Any

from huggingface_hub import try_to_load_from_cache
from transformers.utils.hub import cached_file

from .bundled_detector import CONFIG_FILE, WEIGHTS_FILE, BundledDetector
from .network import hub_settings
from .object_detection import DetectorUnavailable

BUNDLED = "bundled"
_WEIGHTS = Path(__file__).resolve().parent / "weights"
BUNDLED_FOLDER = _WEIGHTS / "detector"
BUNDLED_MODEL = _WEIGHTS / "vmhan-mini-mnre"
FOLDER_BESIDE_MODEL = "detector"  # folder of the bundled detector in the repository of a model on the Hub


def has_bundled_detector() -> bool:
    """Returns whether the package holds the bundled detector; a model from the Hub brings its own."""
    return all((BUNDLED_FOLDER / file).is_file() for file in (CONFIG_FILE, WEIGHTS_FILE))


def bundled_detector_of(model: str | None, revision: str | None = None) -> Path:
    """Finds the folder of the bundled detector: that of the package if it is there, else that beside a model.

    Args:
        model: Hub id or folder of the model, or None.
        revision: Commit of the model's repository; with it no request is sent for files in the Hub's cache.

    Returns:
        The folder; that of the package if neither holds the detector.
    """
    if has_bundled_detector() or not model:
        return BUNDLED_FOLDER
    names = [f"{FOLDER_BESIDE_MODEL}/{name}" for name in (CONFIG_FILE, WEIGHTS_FILE)]
    is_cached = revision is not None and all(
        isinstance(try_to_load_from_cache(model, name, revision=revision), str) for name in names
    )
    settings = {"local_files_only": True} if is_cached else hub_settings(model)
    try:
        files = [cached_file(model, name, revision=revision, **settings) for name in names]
    except OSError:  # in neither place, which loading that of the package reports
        return BUNDLED_FOLDER
    config = files[0]
    return BUNDLED_FOLDER if config is None else Path(config).parent


def load_bundled_detector(folder: Path | None = None, **settings: Any) -> BundledDetector:
    """Loads the bundled detector.

    Args:
        folder: Folder of the detector; by default that of the package.
        settings: Settings of `BundledDetector`.

    Raises:
        DetectorUnavailable: The folder lacks it, or holds damaged weights.
    """
    try:
        return BundledDetector(BUNDLED_FOLDER if folder is None else folder, **settings)
    except (FileNotFoundError, ValueError) as error:
        raise DetectorUnavailable(
            f"The detector {BUNDLED!r} is unavailable: {error} Install vmhan anew, or take another detector."
        ) from error


__all__ = ["BUNDLED", "BUNDLED_MODEL", "bundled_detector_of", "has_bundled_detector", "load_bundled_detector"]
