"""Which runs differ in nothing but the seed, and words for what tells the others apart."""

import functools
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from vmhan.configuration_vmhan import VMHANConfig
from vmhan.evaluation.tables import compared_name

SETTINGS = {
    "pixels": "pixels",
    "described": "descriptions",
    "composed": "sentences composed of object names",
    "object_names": "object names",
    "text_only": "text only",
}
CONTROLS = {
    "none": "",
    "text_only": ", hidden",
    "shuffled_images": " of other images",
    "blank_images": " of a blank image",
    "constant_objects": ", the same objects for all",
}
#: Settings of the data that tell runs apart, with what an old result file that does not name them means by that. Where
#: files lie and how fast they are read does not: what they hold is known by its checksums.
DATA_DEFAULTS: dict[str, Any] = {
    **{"corpus": "mnre", "descriptions": "llavanext", "boxes": None, "detector": None, "captions": True},
    **{"max_objects": 3, "on_missing_image": "raise", "visual_setting": "described", "control": "none"},
    **{"legacy_crops": None, "selector": "none", "visual_selector": None, "num_text_phrases": 3},
    **{"num_visual_phrases": 3, "candidate_objects": 8, "selector_max_tokens": 128, "undirected_pairs": False},
    **{"on_error": "raise", "limit": None},
}
#: Fields of the model's config that nobody chooses: encoders, and what is fitted or found in the data.
NOT_CHOSEN = {"text_config", "vision_config", "no_relation", "temperatures", "node_selection"}
#: Settings of training that change where and how it runs and what it tells, not what is learnt.
NON_IDENTITY_FIELDS = {
    "seed",
    "output_dir",
    "results_dir",
    "run_name",
    "report_to",
    "disable_tqdm",
    "debug",
    "use_cpu",
    "do_eval",
}
NON_IDENTITY_FIELDS |= {
    "per_device_eval_batch_size",
    "remove_unused_columns",
    "accelerator_config",
    "gradient_checkpointing",
}
NON_IDENTITY_FIELDS |= {
    "activation_checkpointing",
    "resume_from_checkpoint",
    "read_test",
    "complete_result",
    "push_to_hub",
}
NON_IDENTITY_FIELDS |= {"overwrite_output_dir"}
NON_IDENTITY_PREFIXES = ("logging_", "save_", "dataloader_", "hub_", "ddp_")
#: Of the model's config, what is fitted after training.
FITTED = {"temperatures"}
#: When it is evaluated, which counts only where the best checkpoint is kept.
EVALUATION = {"eval_strategy", "eval_steps", "eval_delay", "metric_for_best_model", "greater_is_better"}
#: Of an evaluation of finished weights, all that counts: the rest of the settings file was not used.
OF_EVALUATION = ("checkpoint", "half_precision_weights")
#: Settings that say what is known of the image.
SIGHT = {"visual_setting", "control", "boxes", "detector", "descriptions", "captions", "visual_features"}
DATA_FILES = "data files"
CLEAN = "clean"


def settings(result: dict) -> dict[str, Any]:
    """All settings of a run in which it may differ from another seed's, by name.

    What an old result file does not name yet had the value that is the default today.
    """
    config = result["config"]
    of_data = {name: config["data"].get(name, default) for name, default in DATA_DEFAULTS.items()}
    of_data["legacy_crops"] = bool(of_data["legacy_crops"])  # a place, but whether it is read counts
    of_model = {name: value for name, value in config["model"].items() if name not in FITTED}
    found = of_data | _model_defaults() | of_model | _of_training(config["training"])
    found |= {name: result[name] for name in ("protocol", "visual_setting", "control")}
    return found | {DATA_FILES: _digest(result.get("data", {}))}


@functools.cache
def _model_defaults() -> dict[str, Any]:
    """The settings of a model that are chosen, as they are by default."""
    chosen = (f for f in fields(VMHANConfig) if f.name in VMHANConfig.__annotations__ and f.init)
    defaults = {f.name: f.default_factory() if f.default is MISSING else f.default for f in chosen}
    return {name: value for name, value in defaults.items() if name not in NOT_CHOSEN}


def _of_training(training: dict) -> dict[str, Any]:
    """Result files name what differs from the defaults; encoders go by the last part of their Hub id or folder."""
    if training.get("checkpoint"):
        return {name: training[name] for name in OF_EVALUATION if name in training}
    aside = NON_IDENTITY_FIELDS if training.get("load_best_model_at_end") else NON_IDENTITY_FIELDS | EVALUATION
    found = {
        name: value
        for name, value in training.items()
        if name not in aside and not name.startswith(NON_IDENTITY_PREFIXES)
    }
    encoders = {name: Path(found[name]).name for name in ("text_model", "vision_model") if found.get(name)}
    return found | encoders


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def recipe(result: dict) -> str:
    """The same for runs that differ in nothing but the seed and what they see of the image."""
    return _digest({name: value for name, value in settings(result).items() if name not in {*SIGHT, DATA_FILES}})


def group_results(results: Sequence[dict]) -> list[list[int]]:
    """The places of results that differ in nothing but the seed, together."""
    groups = defaultdict(list)
    for place, result in enumerate(results):
        groups[json.dumps(settings(result), sort_keys=True)].append(place)
    return list(groups.values())


def visual_input_label(result: dict) -> str:
    """What of the image is seen, in words."""
    boxes = " and boxes" if result["config"]["data"]["boxes"] else ""
    return SETTINGS[result["visual_setting"]] + boxes + CONTROLS[result["control"]]


def variant(result: dict) -> tuple[str, str, str]:
    """In the words of tables and figures: entity markers, structure, and what of the image is seen and from whom."""
    model, training, seen = result["config"]["model"], result["config"]["training"], visual_input_label(result)
    structure = {"vhan": "V-HAN"}.get(model["structure_encoder"], model["structure_encoder"])
    if training.get("checkpoint"):
        seen = f"trained with descriptions, then {seen}"
    if training.get("teachers"):
        seen += f", taught by {len(training['teachers'])} models"
    if result["protocol"] != CLEAN:
        seen += f", protocol {result['protocol']}: the label is given away"
    return model["entity_markers"], structure, seen


def variants_apart(groups: Sequence[Sequence[dict]]) -> list[tuple[str, str, str]]:
    """The words of groups of results; those that would read the same say what tells them apart."""
    words, alike = [variant(group[0]) for group in groups], defaultdict(list)
    for of_group, group in zip(words, groups, strict=True):
        alike[of_group].append(group)
    return [
        (markers, structure, ", ".join([seen, *_apart(group, alike[markers, structure, seen])]))
        for (markers, structure, seen), group in zip(words, groups, strict=True)
    ]


def name_of(group: Sequence[dict]) -> str | None:
    """The settings file that `train.compare` trained all results of a group from."""
    names = {compared_name(result) for result in group}
    return names.pop() if len(names) == 1 else None


def _apart(group: Sequence[dict], twins: list[Sequence[dict]]) -> list[str]:
    """The name of the settings file, and of twins of one name, or without any, the settings that differ."""
    names = [name_of(twin) for twin in twins]
    if not all(names) or len(set(names)) == 1:
        return _differing(group, twins)
    namesakes = [twin for twin, name in zip(twins, names, strict=True) if name == name_of(group)]
    return [name_of(group).replace("_", " "), *_differing(group, namesakes)]


def _differing(group: Sequence[dict], twins: list[Sequence[dict]]) -> list[str]:
    """The settings in which any of the twins differs; none of a single group."""
    ours, known = settings(group[0]), [settings(twin[0]) for twin in twins]
    names = sorted(set().union(*known))
    differing = [name for name in names if any(other.get(name) != ours.get(name) for other in known)]
    return [f"{name} {ours.get(name, 'by default')}" for name in differing]
