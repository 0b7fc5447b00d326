"""Builds the table of the field's shared crops: look-ups, our model without and with them, and published scores.

Scores are with the direction of pairs given, as in print; the other mode has columns of its own.
"""

from vmhan.evaluation.modes import GIVEN, UNKNOWN
from vmhan.evaluation.paper_tables import MAIN_MNRE
from vmhan.evaluation.run_grouping import settings_name
from vmhan.evaluation.tables import GIVEN_SUFFIX, markdown_table, scores, spread

#: Scores on test with the direction given: headings by metric.
METRICS = {
    **{"f1": "F1", "precision": "precision", "recall": "recall"},
    **{"accuracy": "accuracy", "none_accuracy": "none or not"},
}
#: Further columns, of our own runs alone: F1 of the other mode, and of both on validation.
FURTHER = {
    "test F1": ("test", "f1", UNKNOWN),
    "validation F1": ("validation", "f1", UNKNOWN),
    f"validation F1{GIVEN_SUFFIX}": ("validation", "f1", GIVEN),
}
HEAD = ("system", "its inputs", "seeds", *(f"test {name}{GIVEN_SUFFIX}" for name in METRICS.values()), *FURTHER)
#: Rows of Table 1 of the VM-HAN paper with which the leaking inputs are compared.
IN_PRINT = ("HVPNet", "MKGformer", "MOREformer", "HVFormer", "TMR", "CAMIM", "VM-HAN")
#: Findings of the audit: input, question and label.
LOOKUPS = (
    ("legacy words beyond the names", "value", "words of the phrases beyond the names of the entities"),
    ("legacy crops", "shape", "number of crops"),
    ("legacy phrases", "words", "words of the phrases"),
)
#: Settings in train/configs/mnre, with their protocol and inputs.
RUNS = {
    "legacy_crops_clean": ("clean", "sentence and descriptions"),
    "legacy_crops": ("legacy-crops", "the same, number of crops and words of the phrases"),
}


def legacy_table(results: list[dict], audit: dict | None) -> str:
    """Builds the Markdown table, percent, on test; runs that are missing are left out.

    Args:
        results: Of `legacy_crops.yaml` and its clean twin.
        audit: The result of `train.audit --legacy`.

    Raises:
        ValueError: A run has another protocol than its settings.
    """
    lines = [list(HEAD), ["---"] * len(HEAD), *(_lookups(audit) if audit else [])]
    for name, (protocol, inputs) in RUNS.items():
        runs = [result for result in results if settings_name(result) == name]
        if runs and {run["protocol"] for run in runs} != {protocol}:
            raise ValueError(f"The runs {name} are not of the protocol {protocol!r}; run them again.")
        if runs:
            paths = [*(("test", metric, GIVEN) for metric in METRICS), *FURTHER.values()]
            measured = [spread(scores(runs, *path)) for path in paths]
            lines.append([f"VM-HAN here, `{protocol}`", inputs, str(len(runs)), *measured])
    for row in MAIN_MNRE:
        if row.name in IN_PRINT:
            figures = [row.f1, row.precision, row.recall, row.accuracy]
            lines.append([f"{row.name}, in print", "", "", *("" if x is None else f"{x:.2f}" for x in figures), ""])
    return markdown_table([line + [""] * (len(HEAD) - len(line)) for line in lines])


def _lookups(audit: dict) -> list[list[str]]:
    """Formats what the audit predicts from the files alone: without sentence, image or, beyond the names, entities."""
    findings = {finding["name"]: finding for finding in audit["findings"]["test"]}
    lines = []
    for name, question, inputs in LOOKUPS:
        if answer := findings.get(name, {}).get(question):
            system = f"look-up table of {answer['entries']} entries" if "entries" in answer else "linear model"
            scored = answer.get("metrics", answer)
            lines.append([system, inputs, "", *(f"{100 * scored[metric]:.1f}" for metric in METRICS)])
    return lines
