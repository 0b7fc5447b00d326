"""Runs are told apart by the settings that training has."""

from dataclasses import MISSING, fields

from train.arguments import DataArguments
from vmhan.evaluation.run_settings import DATA_DEFAULTS

#: Where files lie, how fast they are read, and what result files have from the data.
ASIDE = {
    "data_dir",
    "dataset",
    "no_relation",
    "image_dir",
    "feature_cache",
    "feature_batch_size",
    "selection_cache",
    "selector_batch_size",
}


def test_every_setting_of_the_data_tells_runs_apart_or_is_left_aside():
    defaults = {f.name: f.default_factory() if f.default is MISSING else f.default for f in fields(DataArguments)}
    assert defaults == {**DATA_DEFAULTS, **{name: defaults[name] for name in ASIDE}}
