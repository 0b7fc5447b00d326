"""Annotation styles: one set of weights, and a habit of annotation that a pair is scored in."""

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from tiny import tiny_batch, tiny_model

from vmhan import VMHANConfig

STYLES = ["general", "mnre"]


def test_style_of_a_pair_changes_its_scores_and_no_others():
    model, batch = tiny_model(annotation_styles=STYLES), tiny_batch(pairs=3)
    general = model(**batch).logits
    mixed = model(**batch, annotation_style=torch.tensor([0, 1, 0])).logits
    assert not torch.allclose(general[1], mixed[1])
    torch.testing.assert_close(general[[0, 2]], mixed[[0, 2]])


def test_pair_without_a_style_has_the_first():
    model, batch = tiny_model(annotation_styles=STYLES), tiny_batch()
    torch.testing.assert_close(model(**batch).logits, model(**batch, annotation_style=torch.zeros(5).long()).logits)


def test_style_is_found_by_its_name():
    config = VMHANConfig(annotation_styles=STYLES)
    assert [config.find_annotation_style(name) for name in (None, "general", "mnre")] == [0, 0, 1]


@pytest.mark.parametrize(("styles", "known"), [(STYLES, "general"), ([], "it has none")])
def test_unknown_style_is_refused_with_those_that_the_model_knows(styles, known):
    with pytest.raises(ValueError, match=rf"'tacred', which this model does not know: .*{known}"):
        VMHANConfig(annotation_styles=styles).find_annotation_style("tacred")


def test_styles_have_distinct_names():
    with pytest.raises(StrictDataclassError, match="annotation_styles"):
        VMHANConfig(annotation_styles=["mnre", "mnre"])


def test_temperatures_may_differ_by_style():
    numbers = {"no_relation": 1.0, "relation": 1.5}
    VMHANConfig(annotation_styles=STYLES, temperatures={"mnre": {"direction_unknown": numbers}})
    with pytest.raises(StrictDataclassError, match="temperatures"):
        VMHANConfig(annotation_styles=STYLES, temperatures={"tacred": {"direction_unknown": numbers}})
