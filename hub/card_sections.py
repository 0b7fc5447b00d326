"""The sections of the model card below its front matter, in Markdown."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from safetensors import safe_open

from vmhan.evaluation.overlap import in_words
from vmhan.evaluation.result_file import Result
from vmhan.evaluation.tables import comparison_table, relation_scores, relations_table, score, scores_table
from vmhan.registrations import AUTO_MAP

from .code_files import ROOT
from .contents import read_json, weight_files
from .data_source import MNRE_CHECKSUMS, OWN, DataSource
from .results import PRIVATE

EXAMPLE = {
    "text": "Zinedine Zidane and Carlo Ancelotti watch Real Madrid from the bench",
    "entities": ["Zinedine Zidane", "Carlo Ancelotti", "Real Madrid"],
    "description": "Two men in dark suits in front of a crowd.",
}
#: For a model whose tails are objects of the image.
OBJECT_EXAMPLE = {
    "text": "Zinedine Zidane watches Real Madrid from the bench",
    "entities": ["Zinedine Zidane", "Real Madrid", {"box": [40, 10, 210, 300]}],
    "image": "path/to/bench.jpg",
}
MODES_NOTE = (
    "Columns without further words are of pairs whose direction is unknown: each is tried both ways round, as "
    "`pipeline(...)` does as it stands, and a directed relation found the wrong way round is wrong. The others know "
    "which entity is head and which is tail, as printed results do, and that order tells much: they are what "
    '`direction="given"` scores on pairs in the order of the annotators, and only they may be compared with print.'
)
VISUAL_SETTINGS = {
    "described": "descriptions and object names",
    "composed": "object names and a sentence composed of them",
    "object_names": "object names",
    "text_only": "the sentence only",
    "pixels": "pixels",
}
PROTOCOLS = {
    "clean": "inputs are the sentence, the mention spans and what a function of the image gives",
    "legacy-crops": "inputs hold the crop lists that the field shares, which give the label away; only comparable "
    "with numbers made with the same crops",
    "leaking": "the audit finds that an input gives the label away, so that the numbers are too good; not comparable "
    "with clean ones",
}
VISUAL_FEATURES = {
    "pixels": "pixels of the image and its objects",
    "text": "a description of the image and the names of its objects",
    "box": "where the objects are",
}
#: Relations that are claims about people, by the last part of MNRE's names.
DELICATE = ("nationality", "religion", "race")
#: What `python -m train.data.overlap` counts of MNRE.
OVERLAP = ROOT / "assets" / "results" / "overlap-mnre.json"


@dataclass(frozen=True)
class CardFacts:
    """The facts that a card states.

    Args:
        folder: The saved model.
        name: `user/name`.
        config: Its `config.json`.
        result: The result file of this very model, or None.
        compare: Result files for the table of comparison.
        source: The data, None where nothing is known of them.
        base_model: Hub id of the text encoder, None where it is unknown.
        licence: Of the weights.
    """

    folder: Path
    name: str
    config: dict
    result: Result | None
    compare: Sequence[Result]
    source: DataSource | None
    base_model: str | None
    licence: str

    @property
    def title(self) -> str:
        """The name without its user."""
        return self.name.split("/")[-1]

    @property
    def has_object_tails(self) -> bool:
        """Whether pairs are an entity of the text and an object of the image, as in MORE: they have no order."""
        return self.result is not None and self.result.get("pair_order") == {}


def card_text(facts: CardFacts) -> str:
    """Renders all sections."""
    sections = {
        "## How to use": [_usage(facts)],
        "## What it scores": _scores(facts),
        "## Data and training": [_data(facts.source), _further_corpora(facts.result), _training(facts.result)],
        "## Limits": [_limits(facts)],
        "## Licence": [_licence(facts.licence, facts.source)],
    }
    parts = [f"# {facts.title}", _summary(facts)]
    parts += [part for title, paragraphs in sections.items() for part in (title, *paragraphs)]
    return "\n\n".join(filter(None, parts))


def _summary(facts: CardFacts) -> str:
    config, base_model = facts.config, facts.base_model
    parameters, precision = count_parameters(facts.folder)
    features = [VISUAL_FEATURES[feature] for feature in config["visual_features"]]
    seen = "It reads the sentence only, no image."
    if features:
        seen = f"Of an image it knows {' and '.join(features)}."
    base = f" Its text encoder started from [{base_model}](https://huggingface.co/{base_model})." if base_model else ""
    return (
        "VM-HAN: a sentence, its entities and an image go in; the relation of every entity pair comes out, how "
        f"likely it is, and the attention on the image. {seen} It tells {len(config['id2label'])} relations apart, "
        f"`{config['no_relation']}` among them. {parameters:,} parameters, stored as {precision}.{base}"
        f"{_classifier(config)}"
    )


def count_parameters(folder: Path) -> tuple[int, str]:
    """Counts the parameters of saved weights, and finds their most frequent precision."""
    counts = Counter()
    for path in weight_files(folder):
        with safe_open(path, framework="numpy") as weights:
            for key in weights.keys():  # noqa: SIM118 - it is no dict
                tensor = weights.get_slice(key)
                counts[tensor.get_dtype()] += prod(tensor.get_shape())
    return counts.total(), counts.most_common(1)[0][0]


def _classifier(config: dict) -> str:
    """The parts of the classifier beside equation 9 of the paper."""
    parts = [
        *(["interaction features"] if config.get("pair_features") == "interaction" else []),
        *(["a direction classifier"] if config.get("direction_classifier") else []),
    ]
    return f" Its classifier has {' and '.join(parts)} beside equation 9 of the paper." if parts else ""


def _usage(facts: CardFacts) -> str:
    if facts.has_object_tails:
        example, optional = OBJECT_EXAMPLE, "`description` and `objects` are optional"
        ways = 'The tail is\nan object of the `image`, which is needed: its box in pixels, perhaps with a "label".'
    else:
        example, optional = EXAMPLE, "`description`, `objects` and `image` are optional"
        ways = 'Each pair is tried both\nways round unless `direction="given"` is passed.'
    request = ",\n     ".join(f'"{key}": {json.dumps(value)}' for key, value in example.items())
    *auto_classes, last = (f"`{name}`" for name in AUTO_MAP)
    return f"""```python
from transformers import pipeline

extract = pipeline(model="{facts.name}", trust_remote_code=True)
answer = extract(
    {{{request}}}
)
for pair in answer["pairs"]:
    print(f"{{pair['head']['text']}} -> {{pair['tail']['text']}}: {{pair['relation']}} ({{pair['score']:.2f}})")
```

{optional}; entities may be (start, end) characters. {ways}
{", ".join(auto_classes)} and {last} load it too. With the package `vmhan` installed and imported,
nothing needs `trust_remote_code`. An Inference Endpoint serves it through `handler.py`: it takes
`{{"inputs": {{"text": ..., "entities": [...], "image": base64 or a data URI}}}}`, and fetches no address."""


def _scores(facts: CardFacts) -> list[str]:
    parts = ["No result file came with this model, so there are no numbers here."]
    if facts.result and facts.source:
        parts = [_measured(facts, facts.result, facts.source), relations_table(facts.result)]
    if facts.compare:
        caption = "Percent, mean ± standard deviation over seeds."
        parts += ["### Beside other runs", caption, comparison_table(facts.compare)]
    return parts


def _measured(facts: CardFacts, result: Result, source: DataSource) -> str:
    protocol, setting = result["protocol"], result["visual_setting"]
    modes = "" if facts.has_object_tails else MODES_NOTE
    return (
        f"Measured on {source.link}, protocol `{protocol}`: {PROTOCOLS.get(protocol, '')}. "
        f"Visual setting `{setting}`: the model sees {VISUAL_SETTINGS.get(setting, setting)}. "
        "Percent; F1, precision and recall are micro-averages over the "
        f"relations other than `{facts.config['no_relation']}`. {modes}\n\n{scores_table(result)}"
    )


def _data(source: DataSource | None) -> str:
    """The name of the data, and its source."""
    if source is None:
        return "No result file came with this model, so the data that it was trained on are not named here."
    if source.of_user:
        return f"Trained on {source.link}, as whoever pushed it says."
    if source.by_checksum:
        return f"Trained on {source.link}: the files have the checksums of the published ones."
    if source.name == OWN:
        return "Trained on own data: its files are none of the published ones that are known here."
    return ""


def _further_corpora(result: Result | None) -> str:
    """A table of the corpora beside the main one, with their terms; empty without any."""
    data = result["config"]["data"] if result else {}
    learned = {"relations": data.get("corpora") or [], "named entities": data.get("mention_corpora") or []}
    rows = [
        f"| {Path(corpus['path']).name.split('.')[0]} | {what} | {corpus.get('licence') or 'not stated'} |"
        for what, corpora in learned.items()
        for corpus in corpora
        if corpus["path"] != "main"
    ]
    if not rows:
        return ""
    return "\n".join(
        ["Beside it, it learned from these:", "", "| corpus | marks | terms |", "| --- | --- | --- |", *rows]
    )


def _training(result: Result | None) -> str:
    if result is None:
        return ""
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    changed = ", with changes that were not committed" if result["uncommitted_changes"] else ""
    return (
        f"{_files(result['data'])}\n\n"
        f"```bash\n{result['command']}\n```\n\nSeed {result['seed']}, best step {result['best_step']}, "
        f"{result['wall_time_seconds'] / 60:.0f} minutes, commit `{result['commit']}`{changed}; {versions}."
    )


def _files(data: dict[str, str]) -> str:
    """The files that the rows were read from, or the repository on the Hub, and perhaps files beside it."""
    files = [f"- `{name}`: sha256 `{value}`" for name, value in data.items() if name not in ("dataset", "revision")]
    parts = ["Read from these files:", "\n".join(files)] if files else []
    if "dataset" in data:
        name = data["dataset"]
        where = "a private data set" if name == PRIVATE else f"[{name}](https://huggingface.co/datasets/{name})"
        parts = [f"Read from {where} on the Hub, revision `{data['revision']}`.", *parts]
    return "\n\n".join(parts)


def _limits(facts: CardFacts) -> str:
    labels = facts.config["id2label"].values()
    lines = [
        f"It knows {len(labels)} relations and no others. It reads one sentence at a time.",
        None
        if "pixels" in facts.config["visual_features"]
        else "It does not look at pixels: without words about an image, the image changes nothing.",
        *(_measured_limits(facts, facts.result) if facts.result else []),
        _overlap() if facts.source and facts.source.by_checksum else None,
        _about_people(labels),
    ]
    return "\n".join(f"- {line}" for line in lines if line)


def _measured_limits(facts: CardFacts, result: Result) -> list[str]:
    """How many of its answers on test are wrong, and which relations it never found."""
    lines, precision = [], score(result, "test", "precision")
    if precision is not None:
        where = "" if facts.has_object_tails else ", where the direction of a pair has to be found too"
        wrong = f"{100 * (1 - precision):.0f} of 100 relations that it names are wrong"
        lines.append(f"On test{where}, {wrong}; look at the score.")
    never = [name for name, of in relation_scores(result).items() if of["support"] and of["f1"] == 0]
    if never:
        lines.append(f"On test it found none of {', '.join(f'`{name}`' for name in sorted(never))}.")
    return lines


def _overlap() -> str | None:
    """How much of MNRE's test is in its training split."""
    counted = read_json(OVERLAP) if OVERLAP.is_file() else None
    return in_words(counted["overlaps"]) if counted and set(counted["data"].values()) >= MNRE_CHECKSUMS else None


def _about_people(relations: Iterable[str]) -> str:
    """A warning; relations that are delicate by themselves are named."""
    parts = {part for relation in relations for part in relation.lower().split("/")}
    delicate = [kind for kind in DELICATE if kind in parts]
    if not delicate:
        return "Do not decide anything about people with it."
    listed = " and ".join(filter(None, (", ".join(delicate[:-1]), delicate[-1])))
    return f"Relations such as {listed} are claims about people: do not decide anything about people with it."


def _licence(licence: str, source: DataSource | None) -> str:
    about = ""
    if source is None or source.name == OWN:
        about = " Nothing is known here of the rights to the data."
    elif source.known == "mnre":
        about = " MNRE states no licence. None of its content is here; who needs certainty should ask its authors."
    elif source.known is None:
        about = f" Of the rights to the data see {source.link}." if source.url else ""
    return f"These weights and this code: {licence}.{about}"
