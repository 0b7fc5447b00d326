"""A finished model goes on with labels of one's own: their negative one is named, or the reason is."""

from pathlib import Path

import pytest
import torch
from tiny import LABELS, save_tiny_checkpoint, tiny_batch, tiny_model

from vmhan import VMHANForRelationExtraction, VMHANProcessor
from vmhan.losses import RelationTargets, pair_weights

BUNDLED = Path(__file__).resolve().parents[2] / "vmhan" / "weights" / "vmhan-mini-mnre"
OWN = ["employs", "no_relation", "lives_in"]
NAMES = {"id2label": dict(enumerate(OWN)), "label2id": {name: i for i, name in enumerate(OWN)}}


def load(folder, **settings):
    return VMHANForRelationExtraction.from_pretrained(folder, num_labels=3, ignore_mismatched_sizes=True, **settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished model whose pairs without a relation weigh less."""
    return save_tiny_checkpoint(tmp_path_factory.mktemp("finished"), no_relation_weight=0.75)


def test_the_bundled_model_takes_a_step_with_own_labels():
    model = load(BUNDLED, no_relation="no_relation", **NAMES).train()
    processor = VMHANProcessor.from_pretrained(BUNDLED)
    batch = processor(
        ["Ada works for Ferro in Vellin"], [[(0, 3), (14, 19), (23, 29)]], [[(0, 1), (0, 2)]], labels=[[0, 1]]
    )
    before = model.classifier.weight.clone()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model(**batch).loss.backward()
    optimizer.step()
    assert model.classifier.out_features == 3 and not torch.equal(model.classifier.weight, before)


def test_the_named_negative_label_is_the_one_that_weighs_less(folder):
    model = load(folder, no_relation="no_relation", **NAMES)
    labels = torch.tensor([1, 0, 1, 2])
    assert pair_weights(model.config, RelationTargets(labels)).tolist() == [0.75, 1, 0.75, 1]
    assert pair_weights(model.config, RelationTargets(torch.eye(3)[labels])).tolist() == [0.75, 1, 0.75, 1]


def test_names_of_the_outputs_count_where_their_inverse_was_forgotten(folder):
    model = load(folder, no_relation="no_relation", id2label=NAMES["id2label"])
    assert model.config.label2id == NAMES["label2id"]
    assert pair_weights(model.config, RelationTargets(torch.tensor([1, 0]))).tolist() == [0.75, 1]


@pytest.mark.parametrize(
    "names, labels", [(NAMES, "'employs', 'no_relation', 'lives_in'"), ({}, "'LABEL_0', 'LABEL_1'")]
)
def test_labels_without_their_negative_one_are_refused_before_training(folder, names, labels):
    with pytest.raises(
        ValueError, match=rf"no_relation is 'None', .*{labels}.*no_relation=.*no_relation_weight, now 0.75"
    ):
        load(folder, **names)


def test_labels_without_any_negative_one_train_where_all_pairs_weigh_the_same(folder):
    model = load(folder, no_relation_weight=1, **NAMES).train()
    labels = torch.tensor([0, 1, 2, 1, 0])
    assert model(**{**tiny_batch(), "labels": labels}).loss.isfinite()


def test_a_negative_label_that_is_renamed_later_is_named_in_training():
    model = tiny_model(no_relation_weight=0.5)
    model.config.no_relation = "NA"
    with pytest.raises(ValueError, match=rf"no_relation is 'NA', .*{LABELS[1]}"):
        model(**tiny_batch())
