"""Which detectors a visitor can choose, and the state of their weights in plain words."""

import os
from pathlib import Path

os.environ.setdefault("YOLO_AUTOINSTALL", "false")  # ultralytics would install packages when a picture is broken

from vmhan.bundled_weights import BUNDLED
from vmhan.detectors.loading import has_weights
from vmhan.object_detection import NO_DETECTOR

#: Names that `load_detector` takes, and what they are. Visitors choose among these, so that none names a file.
OFFERED = {
    BUNDLED: "Bundled detector",
    "yolov3u": "YOLOv3, the paper's (ultralytics)",
    "yolo11n": "YOLO11 nano, small and fast (ultralytics)",
    "PekingU/rtdetr_v2_r18vd": "RT-DETR v2 (Hub, Apache-2.0)",
}


def detector_choices(own: str | None) -> list[tuple[str, str]]:
    """What the page offers: a label and a name each; `own` is the one whoever runs the page has named."""
    offered = [] if own is None or own in (*OFFERED, NO_DETECTOR) else [(f"{Path(own).name}, chosen here", own)]
    return [("None: use the description", NO_DETECTOR), *offered, *((v, k) for k, v in OFFERED.items())]


def default_detector(own: str | None) -> str:
    """The one that was named; else the bundled one as soon as its weights are here; else none."""
    return own or (BUNDLED if has_weights(BUNDLED) else NO_DETECTOR)


def spoken(name: str) -> str:
    """What a detector is called at the start of a sentence."""
    return "The bundled detector" if name == BUNDLED else OFFERED.get(name, "The detector").split(" (")[0]


def found_by(name: str) -> str:
    """Who found the objects, in a sentence."""
    return f"{spoken(name)} found them."


def weights_state(name: str) -> str:
    """Where the weights of a detector are, in a sentence or two."""
    if name == NO_DETECTOR:
        return "Nothing looks for objects in the picture. They are the things that the description names."
    if has_weights(name):
        return "Its weights are on this machine."
    if name == BUNDLED:
        return "Its weights are missing here, so it cannot look yet. Choose another, or none."
    if name not in OFFERED and (os.sep in name or name.endswith(".pt")):
        return "Its weights are not at the path that was given. Choose another, or none."
    source = "the Hub" if "/" in name else "ultralytics"
    return f"Its weights are not on this machine. They are downloaded from {source} when it first looks at a picture."
