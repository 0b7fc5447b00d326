"""The model card: front matter by `huggingface_hub`, prose and tables from config, weights and result files.

What a file knows is read from it: relations and settings from `config.json`, size and precision from the weights,
numbers, data, command and versions from the result file. Licence and language are those of a card in the folder, where
there is one.
"""

import json
import shlex
from collections import Counter
from collections.abc import Iterable
from math import prod
from pathlib import Path

import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from safetensors import safe_open

from vmhan.registrations import AUTO_MAP

from .code_files import ROOT, project_licence
from .connection import HubError
from .contents import CARD, CONFIG, read_json, weight_files
from .data_source import MNRE_CHECKSUMS, OWN, DataSource, find_source
from .results import PRIVATE
from .results_table import (
    COLUMNS,
    PROTOCOLS,
    SEES,
    comparison_table,
    number,
    relations_of,
    relations_table,
    scores_table,
)

TASK_TYPE = "relation-extraction"
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
ORDER = (
    "Columns without further words are of pairs whose direction is unknown: each is tried both ways round, as "
    "`pipeline(...)` does as it stands, and a directed relation found the wrong way round is wrong. The others know "
    "which entity is head and which is tail, as printed results do, and that order tells much: they are what "
    '`direction="given"` scores on pairs in the order of the annotators, and only they may be compared with print.'
)
#: Relations that are claims about people, by the last part of MNRE's names.
DELICATE = ("nationality", "religion", "race")
#: What `python -m train.data.overlap` counts of MNRE.
OVERLAP = ROOT / "assets" / "results" / "overlap-mnre.json"
SIGHT = {
    "pixels": "pixels of the picture and its objects",
    "text": "a description of the picture and the names of its objects",
    "box": "where the objects are",
}


def make_card(
    folder: Path,
    name: str,
    result: dict | None = None,
    compare: list[dict] | None = None,
    base_model: str | None = None,
    licence: str | None = None,
    dataset_name: str | None = None,
    dataset_url: str | None = None,
) -> ModelCard:
    """The card of the model in `folder` for the repository `name`.

    Args:
        folder: A saved model.
        name: `user/name`.
        result: The result file of this very model, or None.
        compare: Result files for the table of comparison.
        base_model: Hub id of the text encoder; by default that of the folder's card, or of the run's settings.
        licence: By default that of the folder's card, or the project's.
        dataset_name, dataset_url: What the data are called, and where they lie; by default what checksums or the Hub
            tell of them.

    Raises:
        HubError: `result` is of a model with other settings, or the data's name or address is none.
    """
    config = read_json(folder / CONFIG)
    source = find_source(result["data"] if result else None, dataset_name, dataset_url)
    if result:
        _check_same_model(config, result)
    own = ModelCard.load(folder / CARD).data if (folder / CARD).is_file() else ModelCardData()
    base_model = base_model or own.base_model or _base_model(result)
    licence = licence or own.license or project_licence()
    data = ModelCardData(
        model_name=name.split("/")[-1],
        language=own.language or ("en" if source and source.known else None),
        license=licence,
        library_name="transformers",
        base_model=base_model,
        datasets=_public_datasets(result),
        tags=[TASK_TYPE, "multimodal", "hypergraph", "vmhan"],
        widget=None if _has_object_tails(result) else [{"example_title": "Two coaches and a club", **EXAMPLE}],
        eval_results=_eval_results(result, source) if result else None,
    )
    body = _body(folder, name, config, result, source, compare or [], base_model, licence)
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body}\n", ignore_metadata_errors=False)


def _check_same_model(config: dict, result: dict) -> None:
    """Numbers of another model must not get onto this one's card."""
    measured = result["config"]["model"]
    for name in sorted(measured.keys() & config.keys()):
        if measured[name] != config[name]:
            raise HubError(
                f"The result is of a model with {name} {measured[name]!r}, this one has {config[name]!r}; "
                "give --result the file that training wrote for this model."
            )


def _base_model(result: dict | None) -> str | None:
    """The Hub id of the text encoder, from the settings file that the run's command names.

    The run itself may have read a copy of it from a folder, whose name is then the last part of the id.
    """
    settings = [ROOT / word for word in shlex.split(result["command"])[2:] if word.endswith(".yaml")] if result else []
    if not settings or not settings[0].is_file():
        return None
    named = _text_model_of(settings[0])
    read = result["config"]["training"].get("text_model") or named
    return named if named and named.count("/") == 1 and Path(read).name == named.split("/")[1] else None


def _text_model_of(settings: Path) -> str | None:
    """The text encoder that a settings file names, or the one it extends."""
    sections = yaml.safe_load(settings.read_text(encoding="utf-8"))
    named, base = (sections.get("training") or {}).get("text_model"), sections.get("extends")
    return named or (_text_model_of(settings.parent / base) if base else None)


def _eval_results(result: dict, source: DataSource) -> list[EvalResult]:
    """Test first, and of a split first the mode that users get."""
    splits = sorted(result["metrics"], key=lambda split: split != "test")
    return [
        EvalResult(
            task_type=TASK_TYPE,
            task_name="Multi-modal relation extraction",
            dataset_type=source.type,
            dataset_name=source.name,
            dataset_split=split,
            dataset_args={"protocol": result["protocol"], "visual_setting": result["visual_setting"]},
            metric_type=metric,
            metric_name=f"{split} {column} (micro, without {_none(result)})"
            if "F1" in column
            else f"{split} {column}",
            metric_value=round(number(result, split, metric, given), 4),
        )
        for split in splits
        for (metric, given), column in COLUMNS.items()
        if number(result, split, metric, given) is not None
    ]


def _body(folder, name, config, result, source, compare, base_model, licence) -> str:
    parts = [f"# {name.split('/')[-1]}", _summary(folder, config, base_model), "## How to use", _usage(name, result)]
    if result:
        parts += ["## What it scores", _scores(result, source), relations_table(result)]
    else:
        parts += ["## What it scores", "No result file came with this model, so there are no numbers here."]
    if compare:
        parts += ["### Beside other runs", "Percent, mean ± standard deviation over seeds.", comparison_table(compare)]
    parts += ["## Data and training", _named(source), _training(result) if result else ""]
    parts += ["## Limits", _limits(config, result, source), "## Licence", _licence(licence, source)]
    return "\n\n".join(part for part in parts if part)


def _summary(folder: Path, config: dict, base_model: str | None) -> str:
    count, precision = _weights(folder)
    sight = [SIGHT[feature] for feature in config["visual_features"]]
    seen = f"Of a picture it knows {' and '.join(sight)}." if sight else "It reads the sentence only, no picture."
    base = f" Its text encoder started from [{base_model}](https://huggingface.co/{base_model})." if base_model else ""
    return (
        "VM-HAN: a sentence, its entities and a picture go in; the relation of every entity pair comes out, how "
        f"likely it is, and the attention on the picture. {seen} It tells {len(config['id2label'])} relations apart, "
        f"`{config['no_relation']}` among them. {count:,} parameters, stored as {precision}.{base}"
        f"{_classifier(config)}"
    )


def _classifier(config: dict) -> str:
    """What the classifier has that equation 9 of the paper has not."""
    parts = [
        *(["interaction features"] if config.get("pair_features") == "interaction" else []),
        *(["a direction classifier"] if config.get("direction_classifier") else []),
    ]
    return f" Its classifier has {' and '.join(parts)} beside equation 9 of the paper." if parts else ""


def _weights(folder: Path) -> tuple[int, str]:
    """Parameters in the files, and their most frequent precision."""
    counts = Counter()
    for path in weight_files(folder):
        with safe_open(path, framework="numpy") as weights:
            for key in weights.keys():  # noqa: SIM118 - it is no dict
                tensor = weights.get_slice(key)
                counts[tensor.get_dtype()] += prod(tensor.get_shape())
    return counts.total(), counts.most_common(1)[0][0]


def _usage(name: str, result: dict | None) -> str:
    example = OBJECT_EXAMPLE if _has_object_tails(result) else EXAMPLE
    request = ",\n     ".join(f'"{key}": {json.dumps(value)}' for key, value in example.items())
    optional = "`description`, `objects` and `image` are optional"
    ways = 'Each pair is tried both\nways round unless `direction="given"` is passed.'
    if _has_object_tails(result):
        optional = "`description` and `objects` are optional"
        ways = 'The tail is\nan object of the `image`, which is needed: its box in pixels, perhaps with a "label".'
    return f"""```python
from transformers import pipeline

extract = pipeline(model="{name}", trust_remote_code=True)
answer = extract(
    {{{request}}}
)
for pair in answer["pairs"]:
    print(f"{{pair['head']['text']}} -> {{pair['tail']['text']}}: {{pair['relation']}} ({{pair['score']:.2f}})")
```

{optional}; entities may be (start, end) characters. {ways}
{_auto_classes()} With the package `vmhan` installed and imported,
nothing needs `trust_remote_code`. An Inference Endpoint serves it through `handler.py`: it takes
`{{"inputs": {{"text": ..., "entities": [...], "image": base64 or a data URI}}}}`, and fetches no address."""


def _has_object_tails(result: dict | None) -> bool:
    """Whether the model relates entities of the text to objects of the image, as in MORE: its pairs have no order."""
    return bool(result) and result.get("pair_order") == {}


def _auto_classes() -> str:
    names = [f"`{name}`" for name in AUTO_MAP]
    return f"{', '.join(names[:-1])} and {names[-1]} load it too."


def _scores(result: dict, source: DataSource) -> str:
    protocol, setting = result["protocol"], result["visual_setting"]
    order = "" if _has_object_tails(result) else ORDER
    return (
        f"Measured on {source.link}, protocol `{protocol}`: {PROTOCOLS.get(protocol, '')}. "
        f"Visual setting `{setting}`: the model sees {SEES.get(setting, setting)}. "
        "Percent; F1, precision and recall are micro-averages over the "
        f"relations other than `{_none(result)}`. {order}\n\n{scores_table(result)}"
    )


def _training(result: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    changed = ", with changes that were not committed" if result["uncommitted_changes"] else ""
    return (
        f"{_sources(result['data'])}\n\n"
        f"```bash\n{result['command']}\n```\n\nSeed {result['seed']}, best step {result['best_step']}, "
        f"{result['wall_time_seconds'] / 60:.0f} minutes, commit `{result['commit']}`{changed}; {versions}."
    )


def _sources(data: dict) -> str:
    """What the rows were read from: files, or a repository on the Hub, and perhaps files beside it."""
    files = [f"- `{name}`: sha256 `{value}`" for name, value in data.items() if name not in ("dataset", "revision")]
    parts = ["Read from these files:", "\n".join(files)] if files else []
    if "dataset" in data:
        name = data["dataset"]
        where = "a private data set" if name == PRIVATE else f"[{name}](https://huggingface.co/datasets/{name})"
        parts = [f"Read from {where} on the Hub, revision `{data['revision']}`.", *parts]
    return "\n\n".join(parts)


def _public_datasets(result: dict | None) -> list[str] | None:
    name = result["data"].get("dataset", PRIVATE) if result else PRIVATE
    return None if name == PRIVATE else [name]


def _limits(config: dict, result: dict | None, source: DataSource | None) -> str:
    lines = [f"It knows {len(config['id2label'])} relations and no others. It reads one sentence at a time."]
    if "pixels" not in config["visual_features"]:
        lines.append("It does not look at pixels: without words about a picture, the picture changes nothing.")
    precision = number(result, "test", "precision") if result else None
    if precision is not None:
        where = "" if _has_object_tails(result) else ", where the direction of a pair has to be found too"
        wrong = f"{100 * (1 - precision):.0f} of 100 relations that it names are wrong"
        lines.append(f"On test{where}, {wrong}; look at the score.")
    relations = relations_of(result) if result else {}
    rare = [name for name, of in relations.items() if of["support"] and of["f1"] == 0]
    if rare:
        lines.append(f"On test it found none of {', '.join(f'`{name}`' for name in sorted(rare))}.")
    if source and source.by_checksum and (overlap := _overlap()):
        lines.append(overlap)
    lines.append(_about_people(config["id2label"].values()))
    return "\n".join(f"- {line}" for line in lines)


def _about_people(relations: Iterable[str]) -> str:
    """What not to do with it; relations that are delicate by themselves are named."""
    parts = {part for relation in relations for part in relation.lower().split("/")}
    delicate = [kind for kind in DELICATE if kind in parts]
    if not delicate:
        return "Do not decide anything about people with it."
    listed = " and ".join(filter(None, (", ".join(delicate[:-1]), delicate[-1])))
    return f"Relations such as {listed} are claims about people: do not decide anything about people with it."


def _overlap() -> str | None:
    """What of MNRE's test is in its training split, in the words of the file that counts it."""
    counted = read_json(OVERLAP) if OVERLAP.is_file() else None
    return counted["in_words"] if counted and set(counted["data"].values()) >= MNRE_CHECKSUMS else None


def _named(source: DataSource | None) -> str:
    """Whose word the name of the data is."""
    if source is None:
        return "No result file came with this model, so the data that it was trained on are not named here."
    if source.of_user:
        return f"Trained on {source.link}, as whoever pushed it says."
    if source.by_checksum:
        return f"Trained on {source.link}: the files have the checksums of the published ones."
    if source.name == OWN:
        return "Trained on own data: its files are none of the published ones that are known here."
    return ""


def _licence(licence: str, source: DataSource | None) -> str:
    about = ""
    if source is None or source.name == OWN:
        about = " Nothing is known here of the rights to the data."
    elif source.known == "mnre":
        about = " MNRE states no licence. None of its content is here; who needs certainty should ask its authors."
    elif source.known is None:
        about = f" Of the rights to the data see {source.link}." if source.url else ""
    return f"These weights and this code: {licence}.{about}"


def _none(result: dict) -> str:
    return result["config"]["model"]["no_relation"]
