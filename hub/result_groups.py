"""Which results differ in nothing but the seed, and what tells the others apart.

`vmhan/evaluation/run_grouping.py` says the same for the tables of training; a test compares them.
"""

import functools
import hashlib
import json
from collections import defaultdict
from dataclasses import MISSING, fields
from pathlib import Path

#: Settings of the data that tell runs apart, with what an old result file that does not name them means by that.
DATA_SETTINGS = {
    **dict.fromkeys(("boxes", "detector", "visual_selector", "limit", "undirected_pairs", "legacy_crops")),
    **{"corpus": "mnre", "descriptions": "llavanext", "captions": True, "max_objects": 3, "selector": "none"},
    **{"num_text_phrases": 3, "num_visual_phrases": 3, "candidate_objects": 8, "selector_max_tokens": 128},
    **{"on_missing_image": "raise", "on_error": "raise"},
}
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


def group_results(results: list[dict]) -> list[list[dict]]:
    """Results that differ in nothing but the seed, together."""
    groups = defaultdict(list)
    for result in results:
        groups[json.dumps(settings_of(result), sort_keys=True)].append(result)
    return list(groups.values())


def settings_of(result: dict) -> dict:
    """All settings of a run in which it may differ from another seed's, by name."""
    data = {name: result["config"]["data"].get(name, default) or None for name, default in DATA_SETTINGS.items()}
    data["legacy_crops"] = bool(data["legacy_crops"])  # a place, but whether it is read counts
    return {
        **model_defaults(),
        **{name: value for name, value in result["config"]["model"].items() if name not in FITTED},
        **{name: result[name] for name in ("protocol", "visual_setting", "control")},
        **data,
        **_of_training(result["config"]["training"]),
        "data files": hashlib.sha256(json.dumps(result["data"], sort_keys=True).encode()).hexdigest()[:8],
    }


@functools.cache
def model_defaults() -> dict:
    """What an old result file means by naming no value; imported here, for that takes seconds."""
    from vmhan import VMHANConfig

    own = [f for f in fields(VMHANConfig) if f.name in VMHANConfig.__annotations__]
    defaults = {f.name: f.default_factory() if f.default is MISSING else f.default for f in own if f.init}
    return {name: value for name, value in defaults.items() if name not in ("text_config", "vision_config")}


def _of_training(training: dict) -> dict:
    """Result files name what differs from the defaults; encoders go by the last part of their Hub id or folder."""
    if training.get("checkpoint"):
        return {name: training[name] for name in OF_EVALUATION if name in training}
    aside = NON_IDENTITY_FIELDS if training.get("load_best_model_at_end") else NON_IDENTITY_FIELDS | EVALUATION
    found = {
        name: value
        for name, value in training.items()
        if name not in aside and not name.startswith(NON_IDENTITY_PREFIXES)
    }
    return found | {name: Path(found[name]).name for name in ("text_model", "vision_model") if found.get(name)}


def differing(variant: dict, twins: list[dict]) -> list[str]:
    """The settings of a variant in which any of its twins differs."""
    names = dict.fromkeys(name for known in (variant, *twins) for name in known)
    apart = [name for name in names if any(twin.get(name) != variant.get(name) for twin in twins)]
    return [f"{name} {variant.get(name)!r}" for name in apart]


def settings_name(runs: list[dict]) -> str | None:
    """The settings file that all results of a group were trained from, as `train.compare` names them."""
    names = {(run["config"]["training"].get("run_name") or "", f"-seed{run['seed']}") for run in runs}
    stems = {name.removesuffix(seed) if name.endswith(seed) else "" for name, seed in names}
    return stems.pop() if len(stems) == 1 else None
