"""The weights that come along: model and detector in the package, the detector beside a model on the Hub too."""

from pathlib import Path

from huggingface_hub import try_to_load_from_cache
from transformers.utils import cached_file

from .bundled_detector import CONFIG_FILE, WEIGHTS_FILE, BundledDetector
from .network import hub_settings
from .object_detection import DetectorUnavailable

BUNDLED = "bundled"
_WEIGHTS = Path(__file__).resolve().parent / "weights"
BUNDLED_FOLDER = _WEIGHTS / "detector"
BUNDLED_MODEL = _WEIGHTS / "vmhan-mini-mnre"
FOLDER_BESIDE_MODEL = "detector"  # where a model that was pushed to the Hub holds the bundled detector


def has_bundled_detector() -> bool:
    """Tells whether the package holds the bundled detector; a model that was fetched from the Hub brings its own."""
    return all((BUNDLED_FOLDER / file).is_file() for file in (CONFIG_FILE, WEIGHTS_FILE))


def bundled_detector_of(model: str, revision: str | None = None) -> Path:
    """Finds the folder of the bundled detector: the package's where it has one, else that of the model's repository.

    Args:
        model: Hub id or folder.
        revision: Commit of the repository. With it nobody is asked for what the Hub's cache has.
    """
    if has_bundled_detector() or not model:
        return BUNDLED_FOLDER
    names = [f"{FOLDER_BESIDE_MODEL}/{name}" for name in (CONFIG_FILE, WEIGHTS_FILE)]
    known = revision and all(isinstance(try_to_load_from_cache(model, name, revision=revision), str) for name in names)
    settings = {"local_files_only": True} if known else hub_settings(model)
    try:
        files = [cached_file(model, name, revision=revision, **settings) for name in names]
    except OSError:  # neither here nor there; who loads the package's is told so
        return BUNDLED_FOLDER
    return Path(files[0]).parent


def load_bundled_detector(folder: Path | None = None, **settings) -> BundledDetector:
    """Loads the bundled detector.

    Args:
        folder: Where it lies; by default in the package.
        settings: Those of `BundledDetector`.

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
