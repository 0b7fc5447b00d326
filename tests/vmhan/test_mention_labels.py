"""Labels of wordpieces for mention finding, and their loss."""

import math

import pytest
import torch
from tiny import tiny_tokenizer

from vmhan.mention_labels import MENTION_KINDS, UNKNOWN, mention_labels_of, mention_loss, trim_signs

KINDS = ("person", "place")
NUM_LABELS = 5
BEGIN_ANY, INSIDE_ANY, ENDED = 5, 6, 7
OUTSIDE_OR_PERSON, OUTSIDE_OR_PLACE, OUTSIDE_OR_EITHER = 8, 9, 10


def labels_of(text, mentions=(), **options):
    """The labels of letters, which are the wordpieces, without the special tokens around them."""
    offsets = tiny_tokenizer()(text, return_offsets_mapping=True)["offset_mapping"]
    labels = mention_labels_of(offsets, mentions, KINDS, text, **options)
    assert len(labels) == len(offsets) and labels[0] == labels[-1] == UNKNOWN
    return labels[1:-1]


def test_a_mention_begins_once_and_continues():
    assert labels_of("ab in cd e", [(0, 2, "person"), (6, 10, "place")]) == [1, 2, 0, 0, 3, 4, 4]


def test_special_tokens_may_have_no_offsets():
    assert mention_labels_of([None, (0, 1), None], [(0, 1, "place")], KINDS, "a") == [UNKNOWN, 3, UNKNOWN]


def test_a_mention_of_unknown_kind_is_one_of_any_kind():
    assert labels_of("ab c", [(0, 2, None)]) == [BEGIN_ANY, INSIDE_ANY, 0]


def test_what_is_unknown_outside_of_mentions_has_no_label():
    assert labels_of("a ab c d", [(7, 8, "person")], unknown=[(0, 4)]) == [UNKNOWN, UNKNOWN, UNKNOWN, 0, 1]


def test_what_is_unknown_after_a_mention_does_not_continue_it():
    mentions = [(0, 1, "person"), (4, 5, "person"), (6, 7, None)]
    labels = labels_of("a b c d ef", mentions, unknown=[(0, 10)])
    assert labels == [1, ENDED, 1, BEGIN_ANY, ENDED, UNKNOWN]


@pytest.mark.parametrize(
    ("unannotated", "code"),
    [
        ([], 0),
        (["person"], OUTSIDE_OR_PERSON),
        (["place"], OUTSIDE_OR_PLACE),
        (["place", "person"], OUTSIDE_OR_EITHER),
    ],
)
def test_outside_may_be_a_mention_of_a_kind_that_is_not_annotated(unannotated, code):
    assert labels_of("a b", [(0, 1, "person")], unannotated=unannotated) == [1, code]


def test_of_mentions_that_overlap_the_longer_one_is_labeled():
    assert labels_of("ab cd e", [(3, 5, "person"), (0, 5, "place"), (3, 7, "person")]) == [3, 4, 4, 4, 0]
    assert labels_of("a b c", [(0, 3, "person"), (2, 5, "place")]) == [1, 2, 0]


def test_signs_before_a_name_are_outside():
    assert labels_of("@ab #c # d", [(0, 3, "person"), (4, 6, "place"), (7, 10, "place")]) == [0, 1, 2, 0, 3, 0, 3]
    assert labels_of("# a", [(0, 1, "place")]) == [0, 0]


def test_a_kind_that_the_model_does_not_know_is_named():
    with pytest.raises(ValueError, match="The kind \"film\" of a mention is none of \\['person', 'place'\\]"):
        labels_of("a", [(0, 1, "film")])


def test_signs_are_trimmed():
    assert trim_signs("@ #ada", (0, 6)) == (3, 6)
    assert trim_signs("a@b", (0, 3)) == (0, 3)
    assert trim_signs("a #", (2, 3)) is None


def test_loss_of_labels_is_the_cross_entropy():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 4, NUM_LABELS), torch.tensor([[0, 1, 2, UNKNOWN], [3, 4, 0, UNKNOWN]])
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=UNKNOWN)
    assert torch.allclose(mention_loss(logits, labels), expected)


@pytest.mark.parametrize(
    ("code", "labels"),
    [
        (BEGIN_ANY, [1, 3]),
        (INSIDE_ANY, [2, 4]),
        (ENDED, [0, 1, 3]),
        (OUTSIDE_OR_PERSON, [0, 1, 2]),
        (OUTSIDE_OR_PLACE, [0, 3, 4]),
        (OUTSIDE_OR_EITHER, [0, 1, 2, 3, 4]),
    ],
)
def test_loss_of_a_code_is_that_of_any_of_its_labels(code, labels):
    logits = torch.randn(1, 1, NUM_LABELS, generator=torch.Generator().manual_seed(code))
    probability = logits[0, 0].softmax(dim=-1)[labels].sum().item()
    assert mention_loss(logits, torch.tensor([[code]])).item() == pytest.approx(-math.log(probability), abs=1e-5)


def test_codes_of_four_kinds():
    labels = mention_labels_of([(0, 1), (2, 3)], [(0, 1, None)], MENTION_KINDS, "a b", unannotated=["other"])
    logits = torch.zeros(1, 2, 9)
    expected = (-math.log(4 / 9) - math.log(3 / 9)) / 2
    assert mention_loss(logits, torch.tensor([labels])).item() == pytest.approx(expected)


def test_loss_without_a_known_label_is_zero_and_has_a_gradient():
    logits = torch.randn(1, 3, NUM_LABELS, requires_grad=True)
    loss = mention_loss(logits, torch.full((1, 3), UNKNOWN))
    loss.backward()
    assert loss == 0 and torch.equal(logits.grad, torch.zeros(1, 3, NUM_LABELS))


def test_loss_of_half_precision_is_computed_in_single_precision():
    logits = torch.randn(1, 3, NUM_LABELS)
    labels = torch.tensor([[0, BEGIN_ANY, 3]])
    loss = mention_loss(logits.half(), labels)
    assert loss.dtype == torch.float32 and torch.allclose(loss, mention_loss(logits, labels), atol=1e-2)
