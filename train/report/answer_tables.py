"""Builds the tables of plain sentences, and of what separates right answers from wrong ones."""

from collections.abc import Mapping

from train.report.group_labels import percent
from vmhan.evaluation.plain_sentences import DEVELOPMENT, ONCE
from vmhan.evaluation.tables import markdown_table

_KINDS = {"all": "", "related": ", with a relation", "unrelated": ", without one"}
_MODES = {"direction_unknown": "unknown", "direction_given": "given"}
#: Scores of an answer by their names in the result file; other names are outputs of the model.
_SCORES = {"confidence": "confidence", "entropy": "entropy of the scores", "pair_variance": "variance"}


def plain_sentences_table(results: Mapping[str, dict]) -> str:
    """Builds a line for each model and style: right answers to each half of the plain sentences.

    Args:
        results: Of `train.plain_sentences`, by the name of the file.
    """
    head = [
        "model",
        "style",
        *(f"development{kind}" for kind in _KINDS.values()),
        *(f"once{k}" for k in _KINDS.values()),
    ]
    lines = [head, ["---"] * len(head)]
    for name, result in results.items():
        counts = [result.get(half, {}).get(kind) for half in (DEVELOPMENT, ONCE) for kind in _KINDS]
        cells = [f"{of['right']} of {of['sentences']}" if of else "" for of in counts]
        lines.append([name, result["annotation_style"] or "", *cells])
    return markdown_table(lines)


def uncertainty_table(result: dict) -> str:
    """Builds a line for each split, mode and score: its AUROC, and what it adds to the confidence.

    Args:
        result: Of `train.uncertainty`.
    """
    head = ["split", "direction", "score", "AUROC", "AUROC of relations", "AUROC of `None`"]
    head += ["adds to the confidence", "adds, relations"]
    lines = [head, ["---"] * len(head)]
    for split, modes in result["measured"].items():
        for mode, measured in modes.items():
            for name, areas in measured["mean"]["auroc_right"].items():
                cells = [_decimals(areas[kind]) for kind in ("all", "relations", "no_relation")]
                added = measured["added"].get(name, {})
                cells += [_added(added.get(kind)) for kind in ("all", "relations")]
                lines.append([split, _MODES[mode], _SCORES.get(name, f"`{name}`"), *cells])
    return markdown_table(lines)


def answers_table(result: dict) -> str:
    """Builds a line for each split and mode: scores and calibration errors of the answers that users get."""
    names = {"f1": "F1", "macro_f1": "macro F1", "right": "right answers"}
    head = ["split", "direction", *names.values(), "calibration error of relations", "calibration error"]
    lines = [head, ["---"] * len(head)]
    for split, modes in result["measured"].items():
        for mode, measured in modes.items():
            mean, errors = measured["mean"], measured["mean"]["expected_calibration_error"]
            cells = [*(mean[name] for name in names), errors["relations"], errors["all"]]
            lines.append([split, _MODES[mode], *map(percent, cells)])
    return markdown_table(lines)


def _decimals(area: float | None) -> str:
    return "" if area is None else f"{area:.3f}"


def _added(added: dict | None) -> str:
    return f"{added['gain']:+.3f} ({added['low']:+.3f} to {added['high']:+.3f})" if added else ""
