"""What a visitor can download: the answer as JSON, and the chosen pair as a figure."""

import base64
import json
from dataclasses import dataclass

from page.render.figure import figure_svg


@dataclass(frozen=True)
class Download:
    """A link that holds what it downloads: the name of the file, its content as a data address, and the text."""

    file: str
    address: str
    text: str


def answer_downloads(answer: dict, chosen: int) -> list[Download]:
    """Encodes the files of an answer.

    Args:
        answer: As `pair_details` takes it, with the `"text"` that the answer is about.
        chosen: The pair of the figure.
    """
    pairs = _data_address("application/json", answer_json(answer))
    figure = _data_address("image/svg+xml", figure_svg(answer, chosen))
    return [
        Download("relations.json", pairs, "Download all pairs (JSON)"),
        Download("pair.svg", figure, "Download this figure (SVG)"),
    ]


def answer_json(answer: dict) -> str:
    """Encodes the answer as the pipeline gives it."""
    kept = {key: answer[key] for key in ("text", "pairs", "entities", "objects", "description")}
    kept["pairs"] = [{key: value for key, value in pair.items() if key != "related"} for pair in answer["pairs"]]
    if "warnings" in answer:
        kept["warnings"] = answer["warnings"]
    return json.dumps(kept, ensure_ascii=False, indent=2)


def _data_address(kind: str, text: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"
