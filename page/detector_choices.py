"""Detectors that visitors choose among, their weights, and the fallback to the bundled one."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

os.environ.setdefault("YOLO_AUTOINSTALL", "false")  # ultralytics would install packages when an image is broken

from page.errors import unavailable_error, warn_unavailable
from page.extractor import Extractor
from vmhan.bundled_weights import BUNDLED
from vmhan.cli.extras import install_hint
from vmhan.detectors.loading import has_weights, needs_ultralytics
from vmhan.object_detection import NO_DETECTOR, DetectorUnavailable


@dataclass(frozen=True)
class OfferedDetector:
    """A detector that visitors choose.

    Args:
        title: Among the choices.
        short_name: At the start of a sentence.
    """

    title: str
    short_name: str


#: By the names that `load_detector` takes. Visitors choose among these, so that none names a file.
OFFERED = {
    BUNDLED: OfferedDetector("Bundled detector", "The bundled detector"),
    "yolov3u": OfferedDetector("YOLOv3, the paper's (ultralytics)", "YOLOv3"),
    "yolo11n": OfferedDetector("YOLO11 nano, small and fast (ultralytics)", "YOLO11 nano"),
    "PekingU/rtdetr_v2_r18vd": OfferedDetector("RT-DETR v2 (Hub, Apache-2.0)", "RT-DETR v2"),
}


def detector_choices(configured: str | None) -> list[tuple[str, str]]:
    """Lists the titles and names of the detectors on offer.

    Args:
        configured: Name of the detector that whoever runs the page configured; it is offered too.
    """
    known = configured is None or configured in (*OFFERED, NO_DETECTOR)
    own = [] if known else [(f"{Path(configured).name}, chosen here", configured)]
    offered = [(detector.title, name) for name, detector in OFFERED.items()]
    return [("None: use the description", NO_DETECTOR), *own, *offered]


def default_detector(configured: str | None) -> str:
    """Chooses the configured detector; else the bundled one if its weights are here; else none."""
    return configured or (BUNDLED if has_weights(BUNDLED) else NO_DETECTOR)


def detector_title(name: str) -> str:
    """Names a detector at the start of a sentence."""
    return OFFERED[name].short_name if name in OFFERED else "The detector"


def weights_state(name: str) -> str:
    """Describes where the weights of a detector are, in a sentence or two."""
    if name == NO_DETECTOR:
        return "No objects are detected in the image. They are the things that the description names."
    if needs_ultralytics(name) and find_spec("ultralytics") is None:
        return f"It needs ultralytics, which is not installed here: {install_hint('page', 'yolo')}."
    if has_weights(name):
        return "Its weights are on this machine."
    if name == BUNDLED:
        return "Its weights are missing here. Choose another, or none."
    if name not in OFFERED and (os.sep in name or name.endswith(".pt")):
        return "Its weights are not at the path that was given. Choose another, or none."
    source = "the Hub" if "/" in name else "ultralytics"
    return f"Its weights are not on this machine. They are downloaded from {source} with the first image."


def fallback_warning(wanted: str, used: str) -> str | None:
    """Builds the warning that another detector is used than the one that was wanted; None if it is the same."""
    if used in (wanted, NO_DETECTOR):
        return None
    return f"{detector_title(wanted)} is unavailable now, so the bundled detector is used."


def usable_detector(extractor: Extractor, name: str, image: Image.Image | None) -> str:
    """Loads a detector, or falls back to the bundled one with a warning to the visitor.

    Args:
        extractor: Loads it.
        name: Name of the detector, or "none".
        image: Without one no detector is loaded.

    Returns:
        The name of the detector that is used, or "none".

    Raises:
        gr.Error: The bundled one is unavailable too.
    """
    if name == NO_DETECTOR or image is None:
        return NO_DETECTOR
    title = detector_title(name)
    choose_another = f"{title} is unavailable now. Choose another, or none."
    try:
        extractor.get_detector(name)
    except DetectorUnavailable as error:
        if name == BUNDLED or not has_weights(BUNDLED):
            raise unavailable_error(choose_another, error) from error
        warn_unavailable(fallback_warning(name, BUNDLED), error)
        return BUNDLED
    except ValueError as error:  # a file that holds no detector
        raise unavailable_error(choose_another, error) from error
    return name
