"""The leakage audit: tests whether a side input gives the label away.

Three tests of each input, fitted on train and evaluated on validation:

(a) Is it a function of its key? Rows that agree in the key must agree in the input. Where each key is in one row only,
    there is nothing to test.
(b) Does a look-up table predict the label, relation or "a relation or none?", better than the most frequent label
    does? Once from the shape alone, that is, how many items the input has and how many of them are not empty, as
    padding and masks are. And once from the whole value.
(c) Does a linear model over its words and pairs of words? Honest text about an image may carry honest signal, so
    this fails only where it comes near giving the label away, or whether there is a relation.

The thresholds are below. A pass shows nothing of what these tests cannot see: combinations of inputs, and pixels.
"""

import json

import numpy as np
from datasets import DatasetDict
from tqdm.auto import tqdm

from vmhan.evaluation.leakage_tests import PERMUTATIONS, SideInput, contradictions, lookup, shape, word_scores
from vmhan.evaluation.tables import markdown_table

#: (b): the gain of a look-up over the majority, which must also exceed all permutations. On MNRE inputs of an image
#: gain nothing, the shared crop lists 0.37.
LEAST_GAIN = 0.05
#: (c): micro F1 of the linear model. On MNRE honest descriptions reach 0.12, the shared phrases 0.85.
MOST_WORD_F1 = 0.7
#: (c): its gain over the majority for "a relation or none?". On MNRE honest descriptions stay below it, the shared
#: phrases gain 0.37.
LEAST_WORD_GAIN = 0.15


def audit(inputs: list[SideInput], splits: DatasetDict, read: str = "validation") -> list[dict]:
    """Audits each input on the split `read`.

    Returns:
        For each input its `name`, `key`, and the findings (a) `contradictions`, (b) `shape` and `value`, (c) `words`
        (None for an input without words), with `leaks`, the letters of the tests that it fails.
    """
    relations = splits["train"].features["relation"]
    train_labels, labels = (np.array(splits[split]["relation"]) for split in ("train", read))
    findings = []
    for item in tqdm(inputs, desc="Auditing inputs", delay=2):
        train_values, values = item.values["train"], item.values[read]
        by_shape, by_value = (
            lookup(list(map(key, train_values)), train_labels, list(map(key, values)), labels, relations)
            for key in (shape, json.dumps)
        )
        finding = {
            "name": item.name,
            "key": list(item.key),
            "of_task": item.of_task,
            "contradictions": contradictions(item, splits[read], values),
            "shape": by_shape,
            "value": by_value,
            "words": word_scores(train_values, train_labels, values, labels, relations) if item.in_words else None,
        }
        findings.append({**finding, "leaks": [] if item.of_task else failed_tests(finding)})
    return findings


def failed_tests(finding: dict) -> list[str]:
    """Returns the letters of the tests that a finding fails by the thresholds above."""
    found = [finding[table][label] for table in ("shape", "value") for label in ("relation", "none_or_not")]
    words, majority = finding["words"], finding["shape"]["none_or_not"]["majority"]
    failed = {
        "a": finding["contradictions"]["contradicting"] > 0,
        "b": any(
            part["accuracy"] - part["majority"] >= LEAST_GAIN and part["accuracy"] > part["most_permuted"]
            for part in found
        ),
        "c": words is not None
        and (words["f1"] >= MOST_WORD_F1 or words["none_accuracy"] - majority >= LEAST_WORD_GAIN),
    }
    return [letter for letter, fails in failed.items() if fails]


def thresholds() -> dict[str, float]:
    """Returns the thresholds, for result files."""
    return {
        "least_gain": LEAST_GAIN,
        "most_word_f1": MOST_WORD_F1,
        "least_word_gain": LEAST_WORD_GAIN,
        "permutations": PERMUTATIONS,
    }


def thresholds_in_words() -> str:
    """Renders the thresholds as text."""
    return (
        f"An input fails (a) by one contradiction; (b) by a look-up that is {100 * LEAST_GAIN:.0f} points better than "
        f"the most frequent label and better than all of {PERMUTATIONS} permutations; (c) by an F1 of "
        f"{100 * MOST_WORD_F1:.0f}, or by telling whether there is a relation {100 * LEAST_WORD_GAIN:.0f} points "
        "better than the most frequent label."
    )


def table(findings: list[dict]) -> str:
    """Renders the findings as a Markdown table, percent; its last line is of the most frequent label."""
    head = ["input", "belongs to", "(a) contradicting"]
    head += [f"(b) {name}: {label}" for name in ("shape", "value") for label in ("none or not", "relation")]
    head += ["(c) words: none or not", "(c) words: F1", "outcome"]
    lines = [head, ["---"] * len(head)]
    for finding in findings:
        agreed, words = finding["contradictions"], finding["words"]
        looked_up = [finding[name][label] for name in ("shape", "value") for label in ("none_or_not", "relation")]
        lines.append(
            [
                finding["name"],
                belongs_to(finding),
                f"{agreed['contradicting']} of {agreed['repeated_keys']}",
                *(_percent(part["accuracy"]) for part in looked_up),
                *("" if words is None else _percent(words[metric]) for metric in ("none_accuracy", "f1")),
                outcome(finding),
            ]
        )
    if findings:
        majority = [_percent(findings[0]["shape"][label]["majority"]) for label in ("none_or_not", "relation")]
        lines.append(["most frequent label", "", "", *majority, *majority, majority[0], "0.0", ""])
    return markdown_table(lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def belongs_to(finding: dict) -> str:
    """Labels the key of an input."""
    kinds = {"head_span": "pair in its order", "pair": "pair", "tail_object": "tail"}
    return next((kind for column, kind in kinds.items() if column in finding["key"]), "image")


def outcome(finding: dict) -> str:
    """Labels the outcome of an audit."""
    if finding["of_task"]:
        return "given by the task"
    return f"leaks ({', '.join(finding['leaks'])})" if finding["leaks"] else "passes"
