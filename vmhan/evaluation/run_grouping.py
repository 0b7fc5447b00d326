"""Groups of runs that differ in nothing but the seed, and the labels that tell groups apart in tables and figures."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vmhan.evaluation.result_file import Result
from vmhan.evaluation.run_settings import settings, settings_key

VISUAL_SETTING_LABELS = {
    "pixels": "pixels",
    "described": "descriptions",
    "composed": "sentences composed of object names",
    "object_names": "object names",
    "text_only": "text only",
}
CONTROL_LABELS = {
    "none": "",
    "text_only": ", hidden",
    "shuffled_images": " of other images",
    "blank_images": " of a blank image",
    "constant_objects": ", the same objects for all",
}
CLEAN = "clean"


class Variant(NamedTuple):
    """What tells groups of runs apart, as tables and figures label it.

    Args:
        entity_markers: The setting of the model.
        structure: The structure encoder.
        visual_input: The inputs from the image, and what else of training or settings differs.
    """

    entity_markers: str
    structure: str
    visual_input: str


def group_results(results: Sequence[Result]) -> list[list[Result]]:
    """Groups results that differ in nothing but the seed."""
    groups = defaultdict(list)
    for result in results:
        groups[settings_key(result)].append(result)
    return list(groups.values())


def visual_input_label(result: Result) -> str:
    """Labels the inputs from the image."""
    boxes = " and boxes" if result["config"]["data"].get("boxes") else ""
    return VISUAL_SETTING_LABELS[result["visual_setting"]] + boxes + CONTROL_LABELS[result["control"]]


def variant(result: Result) -> Variant:
    """Labels entity markers, structure encoder, inputs from the image, teachers and protocol of a run.

    Of an evaluation of finished weights the settings file does not tell what they were trained with.
    """
    model, training = result["config"]["model"], result["config"]["training"]
    structure = "V-HAN" if model["structure_encoder"] == "vhan" else model["structure_encoder"]
    visual_input = visual_input_label(result)
    if training.get("checkpoint"):
        visual_input = f"finished model, then {visual_input}"
    elif training.get("teachers"):
        visual_input += f", taught by {len(training['teachers'])} models"
    if result["protocol"] != CLEAN:
        visual_input += f", protocol {result['protocol']}: the label is given away"
    return Variant(model["entity_markers"], structure, visual_input)


def variants_apart(groups: Sequence[Sequence[Result]]) -> list[Variant]:
    """Labels groups of results; groups with the same label get what tells them apart added to it."""
    labels, alike = [variant(group[0]) for group in groups], defaultdict(list)
    for label, group in zip(labels, groups, strict=True):
        alike[label].append(group)
    return [
        label._replace(visual_input=", ".join([label.visual_input, *_apart(group, alike[label])]))
        for label, group in zip(labels, groups, strict=True)
    ]


def compared_name(result: Result) -> str | None:
    """Finds the name of the settings file, if `train.compare` ran it, which names results `<name>-seed<seed>`."""
    name, seed = result["config"]["training"].get("run_name") or "", f"-seed{result['seed']}"
    return name.removesuffix(seed) if name.endswith(seed) else None


def group_name(group: Sequence[Result]) -> str | None:
    """Finds the settings file that `train.compare` trained all results of a group from."""
    names = {compared_name(result) for result in group}
    return names.pop() if len(names) == 1 else None


def settings_name(result: Result) -> str:
    """Reads the name of the settings file that `train.compare` ran.

    Raises:
        ValueError: The run has no name, so that nothing says which settings it is of.
    """
    training = result["config"]["training"]
    if not training.get("run_name"):
        raise ValueError(
            f"{Path(training['output_dir']).name}.json does not say of which settings it is: it was made by "
            f"`{result['command']}`. Train it with python -m train.compare, or with --run_name <settings>-seed<seed>."
        )
    return training["run_name"].removesuffix(f"-seed{result['seed']}")


def _apart(group: Sequence[Result], twins: list[Sequence[Result]]) -> list[str]:
    """The name of the settings file, and of twins of one name, or without any, the settings that differ."""
    name, names = group_name(group), [group_name(twin) for twin in twins]
    if name is None or not all(names) or len(set(names)) == 1:
        return _differing(group, twins)
    namesakes = [twin for twin, of_twin in zip(twins, names, strict=True) if of_twin == name]
    return [name.replace("_", " "), *_differing(group, namesakes)]


def _differing(group: Sequence[Result], twins: list[Sequence[Result]]) -> list[str]:
    """The settings in which any of the twins differs; none of a single group."""
    ours, known = settings(group[0]), [settings(twin[0]) for twin in twins]
    names = sorted(set().union(*known))
    differing = [name for name in names if any(other.get(name) != ours.get(name) for other in known)]
    return [f"{name} {ours.get(name, 'by default')}" for name in differing]
