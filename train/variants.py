"""What tells runs apart but the seed, in the words of tables and figures."""

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


def variant(result: dict) -> tuple[str, str, str]:
    """What tells runs apart but the seed: entity markers, structure, and what of the image is seen."""
    model = result["config"]["model"]
    structure = {"vhan": "V-HAN"}.get(model["structure_encoder"], model["structure_encoder"])
    seen = SETTINGS[result["visual_setting"]]
    if result["config"]["data"]["boxes"]:
        seen += " and boxes"
    seen += CONTROLS[result["control"]]
    training = result["config"]["training"]
    if training.get("checkpoint"):
        seen = f"trained with descriptions, then {seen}"
    if training.get("teachers"):
        seen += f", taught by {len(training['teachers'])} models"
    return model["entity_markers"], structure, seen
