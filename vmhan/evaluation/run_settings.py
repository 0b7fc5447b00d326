"""The settings of a run that identify it: those in which runs of one group agree whatever the seed."""

import functools
import hashlib
import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from vmhan.configuration_vmhan import VMHANConfig
from vmhan.evaluation.result_file import Result

#: Settings of the data that identify a run, with the values of old result files that lack them. Where files lie and
#: how fast they are read is not among them: the files are identified by their checksums.
DATA_DEFAULTS: dict[str, Any] = {
    "corpus": "mnre",
    "descriptions": "llavanext",
    "boxes": None,
    "detector": None,
    "captions": True,
    "max_objects": 3,
    "on_missing_image": "raise",
    "visual_setting": "described",
    "control": "none",
    "legacy_crops": None,
    "selector": "none",
    "visual_selector": None,
    "num_text_phrases": 3,
    "num_visual_phrases": 3,
    "candidate_objects": 8,
    "selector_max_tokens": 128,
    "undirected_pairs": False,
    "annotation_style": None,
    "corpora": [],
    "mention_corpora": [],
    "on_error": "raise",
    "limit": None,
}
#: Fields of the model's config that nobody chooses: encoders, and what is fitted or found in the data.
NOT_CHOSEN = ("text_config", "vision_config", "no_relation", "temperatures", "node_selection")
#: Settings of training that change where and how it runs and what it logs, not what is learned.
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
    "per_device_eval_batch_size",
    "remove_unused_columns",
    "accelerator_config",
    "gradient_checkpointing",
    "activation_checkpointing",
    "resume_from_checkpoint",
    "read_test",
    "complete_result",
    "push_to_hub",
    "overwrite_output_dir",
}
NON_IDENTITY_PREFIXES = ("logging_", "save_", "dataloader_", "hub_", "ddp_")
#: Fields of the model's config that are fitted after training.
FITTED = {"temperatures"}
#: When the model is evaluated, which counts only where the best checkpoint is kept.
EVALUATION = {"eval_strategy", "eval_steps", "eval_delay", "metric_for_best_model", "greater_is_better"}
#: Settings of an evaluation of finished weights that count: the rest of the settings file was not used.
OF_EVALUATION = ("checkpoint", "half_precision_weights")
#: Settings of what the inputs hold of the image.
VISUAL_INPUT_FIELDS = {
    "visual_setting",
    "control",
    "boxes",
    "detector",
    "descriptions",
    "captions",
    "visual_features",
}
DATA_FILES = "data files"


def settings(result: Result) -> dict[str, Any]:
    """Collects all settings of a run in which it may differ from another seed's, by name.

    A setting that an old result file lacks has the value that is the default today.
    """
    config = result["config"]
    of_data = {name: config["data"].get(name, default) for name, default in DATA_DEFAULTS.items()}
    of_data["legacy_crops"] = bool(of_data["legacy_crops"])  # a path, but whether it is read counts
    of_model = {name: value for name, value in config["model"].items() if name not in FITTED}
    found = of_data | _model_defaults() | of_model | _training_settings(config["training"])
    found |= {"protocol": result["protocol"], "visual_setting": result["visual_setting"], "control": result["control"]}
    return found | {DATA_FILES: _digest(result.get("data", {}))}


def settings_key(result: Result) -> str:
    """Serializes `settings`, the same for runs that differ in nothing but the seed."""
    return json.dumps(settings(result), sort_keys=True)


def recipe(result: Result) -> str:
    """Computes a digest, the same for runs that differ in nothing but the seed and the inputs from the image."""
    aside = {*VISUAL_INPUT_FIELDS, DATA_FILES}
    return _digest({name: value for name, value in settings(result).items() if name not in aside})


@functools.cache
def _model_defaults() -> dict[str, Any]:
    """The settings of a model that are chosen, as they are by default."""
    chosen = (f for f in fields(VMHANConfig) if f.name in VMHANConfig.__annotations__ and f.init)
    defaults = {f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in chosen}
    return {name: value for name, value in defaults.items() if name not in NOT_CHOSEN}


def _training_settings(training: dict[str, Any]) -> dict[str, Any]:
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
