"""Colors that color-blind people can tell apart: Okabe and Ito's, without the yellow that white drowns."""

CATEGORIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
#: Of an object that is not among the objects of the answer.
UNKNOWN = "#777777"


def object_color(label: str, objects: list[dict]) -> str:
    """Returns the color of an object, the same in every pair of an answer."""
    labels = [item["label"] for item in objects]
    return CATEGORIES[labels.index(label) % len(CATEGORIES)] if label in labels else UNKNOWN
