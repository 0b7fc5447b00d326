"""Grids of settings for the search: parsed from the command line, or what the paper leaves open."""

from dataclasses import fields
from typing import Any

import yaml

from train.arguments import ModelArguments, RunArguments
from train.settings_parser import SettingsError

#: What the paper tuned without saying to what: the weights of equation 12, and the number of layers and heads. The
#: number of selected phrases changes the rows; it is compared by settings files and `train.compare`.
OPEN_SETTINGS = {
    "reconstruction_weight": [1.0, 0.1, 0.01, 0.001],
    "kl_weight": [1.0, 0.1, 0.01, 0.001],
    "num_layers": [1, 2, 3],
    "num_attention_heads": [4, 8],
}
#: Settings that rows or batches depend on, which are built once.
ROW_SETTINGS = ("entity_markers", "max_length", "text_model", "vision_model")
MODEL_SETTINGS = frozenset(field.name for field in fields(ModelArguments))
TRAINING_SETTINGS = frozenset(field.name for field in fields(RunArguments))
#: The values of each setting.
Grid = dict[str, list[Any]]


def parse_grid(words: list[str]) -> Grid:
    """Parses `name=value,value ...`.

    Raises:
        SettingsError: A name is no setting of the model or the training, or a word has no values.
    """
    grid = {}
    for word in words:
        name, _, values = word.partition("=")
        values = yaml.safe_load(f"[{values}]")
        if name not in MODEL_SETTINGS | TRAINING_SETTINGS or not values:
            raise SettingsError(
                f"{word!r} is no part of a grid; write <setting of model or training>=<value>,<value>."
            )
        if name in ROW_SETTINGS:
            raise SettingsError(
                f"{name} changes the rows, which all trials share; compare it with python -m train.compare."
            )
        grid[name] = values
    return grid
