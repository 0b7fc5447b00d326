"""Settings of a run that do not go together, refused before anything is read."""

from train.arguments import DataArguments, RunConfig
from train.settings_parser import SettingsError


def check_config(config: RunConfig) -> None:
    """Refuses settings that do not go together.

    Raises:
        SettingsError: Says what to set.
    """
    _check_pixels(config)
    _check_legacy_crops(config.data)


def _check_pixels(config: RunConfig) -> None:
    """Refuses settings that name pixels in one place and not in another."""
    data, training = config.data, config.training
    if data.visual_setting != "pixels":
        if data.detector:
            raise SettingsError(f'The detector "{data.detector}" needs --visual_setting pixels.')
        return
    if not data.image_dir and not data.dataset:
        raise SettingsError("The visual setting pixels needs --image_dir <folder of the images>.")
    if data.boxes and data.detector:
        raise SettingsError(
            f'Boxes come from the files "{data.boxes}" or from the detector "{data.detector}", not both.'
        )
    if not training.checkpoint and (not training.vision_model or "pixels" not in config.model.visual_features):
        raise SettingsError("The visual setting pixels needs --vision_model vgg16 and --visual_features pixels.")


def _check_legacy_crops(data: DataArguments) -> None:
    """Refuses what does not go together with the shared crops."""
    if not data.legacy_crops:
        return
    if data.visual_setting == "text_only":
        raise SettingsError("Crops are nodes of an image; choose another --visual_setting than text_only for them.")
    if data.control != "none":
        raise SettingsError(
            f"The control {data.control} changes the images of rows, the shared crops belong to rows; leave out "
            "--control or --legacy_crops."
        )
    if data.selects_nodes:
        raise SettingsError("The shared crops take the place of selected phrases; leave out the selectors for them.")


def check_object_tails(data: DataArguments) -> None:
    """Refuses settings that do not go together with rows whose tail is an object of the image.

    Raises:
        SettingsError: Says which, and why.
    """
    refused = {
        "visual_setting text_only": (data.visual_setting == "text_only", "without the image there is no tail"),
        "control text_only": (data.control == "text_only", "blank_images takes away all but that there is a tail"),
        "control constant_objects": (data.control == "constant_objects", "one of the objects is the tail"),
        "legacy_crops": (data.legacy_crops is not None, "they are MNRE's"),
        "undirected_pairs": (data.undirected_pairs, "the head is in the text and the tail in the image"),
        "selector": (data.selects_nodes, "nodes are selected for two entities of the text"),
        "boxes": (data.uses_boxes, "they bring their own"),
        "on_missing_image none": (
            data.visual_setting == "pixels" and data.on_missing_image == "none",
            "a tail needs its image",
        ),
    }
    for name, (is_set, why) in refused.items():
        if is_set:
            raise SettingsError(f"Leave {name} out for data whose tails are objects, such as MORE: {why}.")
