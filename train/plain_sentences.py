"""Scores a finished model on plain sentences, as users get it: text only, direction unknown, the pipeline's defaults.

    python -m train.plain_sentences                                      # the bundled model, the development half
    python -m train.plain_sentences --model outputs/run/final --once     # and the half that is read once

Writes `assets/results/plain-sentences/<model>.json`. An answer is right if its relation, or that there is none, is the
gold one and a directed relation is found the right way round. The file holds every answer to the development half, and
of the half `once` nothing but counts and when it was read: once for each model and style, a second time is refused.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transformers import pipeline

from train.answers import chosen_style
from train.settings_parser import SettingsError, usage_errors
from vmhan import TASK
from vmhan.bundled_weights import BUNDLED_MODEL
from vmhan.configuration_vmhan import DIRECTION_UNKNOWN
from vmhan.data.files import file_checksum
from vmhan.evaluation.plain_sentences import (
    DEVELOPMENT,
    ONCE,
    PlainSentence,
    count_right,
    is_right,
    read_plain_sentences,
    request_of,
)
from vmhan.evaluation.predictions import weights_checksum
from vmhan.evaluation.result_file import ROOT, code_version, versions, write_result

SENTENCES = ROOT / "tests" / "plain_sentences" / "sentences.jsonl"
RESULTS = ROOT / "assets" / "results" / "plain-sentences"
LIBRARIES = ("torch", "transformers", "vmhan")


def answer_sentences(extract: Any, sentences: Sequence[PlainSentence], **options: Any) -> list[dict]:
    """Answers sentences by a pipeline.

    Returns:
        For each sentence its fields without the half, the `answer` and whether it is `right`.
    """
    answers = extract([request_of(sentence) for sentence in sentences], **options)
    return [_judge(sentence, answer["pairs"][0]) for sentence, answer in zip(sentences, answers, strict=True)]


def _judge(sentence: PlainSentence, pair: dict) -> dict:
    answer = {name: pair[name]["text"] for name in ("head", "tail")}
    return {
        **{name: value for name, value in vars(sentence).items() if name != "half"},
        "answer": {**answer, "relation": pair["relation"], "score": round(float(pair["score"]), 4)},
        "right": is_right(sentence, pair),
    }


def check_labels(sentences: Sequence[PlainSentence], labels: Sequence[str]) -> None:
    """Checks that a model knows the relations of all sentences.

    Raises:
        SettingsError: It does not.
    """
    if unknown := sorted({sentence.relation for sentence in sentences} - set(labels)):
        raise SettingsError(f"The model does not know the relations {', '.join(unknown)} of the sentences.")


def earlier_result(path: Path, identity: dict, reads_once: bool) -> dict:
    """Reads what an earlier result of the same model, style and sentences says of the half `once`.

    Args:
        path: The result file, which need not exist.
        identity: Weights, style and checksum of the sentences.
        reads_once: Whether that half is to be read now.

    Returns:
        `{"once": ...}`, or nothing.

    Raises:
        SettingsError: It would be read twice, or the record that it was read for another model would be lost.
    """
    found = {file: json.loads(file.read_text(encoding="utf-8")) for file in path.parent.glob("*.json")}
    reads = {file: result for file, result in found.items() if ONCE in result}
    same = {file for file, result in reads.items() if all(result.get(key) == identity[key] for key in identity)}
    if path in reads.keys() - same:
        raise SettingsError(f"{path} has read the half {ONCE!r} for another model; choose another --name.")
    if reads_once and same:
        file = min(same)
        raise SettingsError(f"The half {ONCE!r} was read at {reads[file][ONCE]['read_at']}; its counts are in {file}.")
    return {ONCE: reads[path][ONCE]} if path in same else {}


def default_name(model: str) -> str:
    """Names a model after its folder, or the run whose folder `final` it is."""
    folder = Path(model).resolve()
    return folder.parent.name if folder.name == "final" else folder.name


def score_halves(extract: Any, sentences: Sequence[PlainSentence], reads_once: bool, **options: Any) -> dict:
    """Scores the development half, with every answer, and if asked the half `once`, counts alone."""
    of_half = {half: [sentence for sentence in sentences if sentence.half == half] for half in (DEVELOPMENT, ONCE)}
    answers = answer_sentences(extract, of_half[DEVELOPMENT], **options)
    found = {DEVELOPMENT: {**_counts(of_half[DEVELOPMENT], answers), "answers": answers}}
    if reads_once:
        counts = _counts(of_half[ONCE], answer_sentences(extract, of_half[ONCE], **options))
        found[ONCE] = {**counts, "read_at": datetime.now(UTC).isoformat(timespec="seconds"), **code_version()}
    return found


def _counts(sentences: Sequence[PlainSentence], answers: Sequence[dict]) -> dict:
    return count_right(sentences, [answer["right"] for answer in answers])


def main(argv: list[str]) -> dict:
    """Scores, prints and writes; returns the content of the file."""
    parser = argparse.ArgumentParser(prog="python -m train.plain_sentences", description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=BUNDLED_MODEL.relative_to(ROOT).as_posix(), help="a finished model")
    parser.add_argument("--name", help="of the result file; by default that of the model's folder, and the style")
    parser.add_argument("--annotation_style", help="as of the pipeline; by default the model's first")
    parser.add_argument("--once", action="store_true", help="read the half that is for reports too, once for a model")
    parser.add_argument("--sentences", type=Path, default=SENTENCES, help="the file of sentences")
    parser.add_argument("--results_dir", type=Path, default=RESULTS, help="where the file goes")
    args = parser.parse_args(argv)
    code, sentences = code_version(), read_plain_sentences(args.sentences)
    extract = pipeline(TASK, model=args.model)
    config = extract.model.config
    style = chosen_style(config, args.annotation_style)
    check_labels(sentences, list(config.label2id))
    name = args.name or "-".join(filter(None, [default_name(args.model), args.annotation_style]))
    path = args.results_dir / f"{name}.json"
    identity = {
        "weights": weights_checksum(extract.model),
        "annotation_style": style,
        "sentences": file_checksum(args.sentences),
    }
    kept = earlier_result(path, identity, args.once)
    options = {"annotation_style": args.annotation_style} if args.annotation_style else {}
    result = {
        "command": shlex.join(["python", "-m", "train.plain_sentences", *argv]),
        "model": args.model,
        **identity,
        "chosen_style": args.annotation_style,
        "mode": DIRECTION_UNKNOWN,
        "visual_setting": "text_only",
        **code,
        "versions": versions(LIBRARIES),
        **score_halves(extract, sentences, args.once, **options),
        **kept,
    }
    write_result(path, result)
    print(format_result(result), path, sep="\n")
    return result


def format_result(result: dict) -> str:
    """Formats the counts of a result, and the wrong answers to the development half."""
    lines = [
        f"{half}: " + ", ".join(f"{kind} {counts['right']} of {counts['sentences']}" for kind, counts in kinds.items())
        for half in (DEVELOPMENT, ONCE)
        if half in result
        for kinds in [{kind: result[half][kind] for kind in ("all", "related", "unrelated")}]
    ]
    wrong = [row for row in result[DEVELOPMENT]["answers"] if not row["right"]]
    lines += [
        f"  {row['text']}\n    {row['head']} -> {row['tail']}: {row['relation']}, answered {row['answer']['head']} -> "
        f"{row['answer']['tail']}: {row['answer']['relation']} ({row['answer']['score']:.2f})"
        for row in wrong
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    with usage_errors("train.plain_sentences"):
        main(sys.argv[1:])
