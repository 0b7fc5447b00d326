"""The order in which rows are trained on: whole sentences of similar length, of each corpus as many as it weighs."""

import pytest
import torch
from datasets import Dataset
from mnre_fixture import write_mnre

from train.data.sampler import SentenceSampler
from vmhan.data.mnre import load_mnre
from vmhan.data.schema import group_by_sentence


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Dataset:
    return load_mnre(write_mnre(tmp_path_factory.mktemp("mnre"), sentences=41))["train"]


def test_each_row_is_drawn_once_an_epoch(rows):
    sampler = SentenceSampler(rows, batch_size=8)
    assert sorted(sampler) == list(range(len(rows))) and len(sampler) == len(rows)


def test_pairs_of_a_sentence_share_a_batch():
    pairs = [1, 2, 1, 3, 1, 6, 1, 1, 2, 1] * 20  # as in MNRE, most sentences have few
    words = [["word"] * (3 + sentence % 7) for sentence, count in enumerate(pairs) for _ in range(count)]
    images = [str(sentence) for sentence, count in enumerate(pairs) for _ in range(count)]
    rows = Dataset.from_dict({"words": words, "image_id": images})
    batch_of = {row: place // 16 for place, row in enumerate(SentenceSampler(rows, batch_size=16))}
    split = [group for group in group_by_sentence(rows) if len({batch_of[row] for row in group}) > 1]
    assert len(split) <= 1  # at most the one that meets the end of the data


def test_sentences_of_a_batch_are_of_similar_length(rows):
    lengths = torch.tensor([len(words) for words in rows["words"]], dtype=torch.float)
    order = list(SentenceSampler(rows, batch_size=8))
    full = len(order) // 8 * 8
    assert lengths[order[:full]].view(-1, 8).std(dim=1).mean() < lengths.std() / 2


def test_order_depends_on_seed_and_epoch_only(rows):
    sampler, again = SentenceSampler(rows, batch_size=8, seed=5), SentenceSampler(rows, batch_size=8, seed=5)
    first = list(sampler)
    sampler.set_epoch(1)
    again.set_epoch(1)
    torch.manual_seed(99)
    assert list(sampler) == list(again) != first
    assert list(SentenceSampler(rows, batch_size=8, seed=6)) != first


def test_sentence_with_more_pairs_than_a_batch_is_split_and_loses_none():
    rows = Dataset.from_dict({"words": [["a"]] * 21 + [["b"]] * 3, "image_id": ["x"] * 24})
    assert sorted(SentenceSampler(rows, batch_size=16)) == list(range(24))


def two_corpora() -> Dataset:
    """Twelve sentences of two rows of the main corpus, ten of another."""
    words = [[f"w{sentence}"] for sentence in range(22) for _ in range(2)]
    return Dataset.from_dict({"words": words, "image_id": [""] * 44, "source": [0] * 24 + [1] * 20})


def test_epoch_draws_the_share_of_a_corpus_and_all_of_the_main_one():
    sampler = SentenceSampler(two_corpora(), batch_size=4, weights=[1.0, 0.5])
    drawn = list(sampler)
    assert len(drawn) == len(sampler) == 34
    assert sorted(row for row in drawn if row < 24) == list(range(24))
    assert len({row for row in drawn if row >= 24}) == 10


def test_each_epoch_draws_other_sentences_of_a_corpus():
    sampler = SentenceSampler(two_corpora(), batch_size=4, weights=[1.0, 0.5])
    first = {row for row in sampler if row >= 24}
    sampler.set_epoch(1)
    assert {row for row in sampler if row >= 24} != first


def test_corpus_that_weighs_more_than_one_comes_back():
    sampler = SentenceSampler(two_corpora(), batch_size=4, weights=[1.0, 1.5])
    others = [row for row in sampler if row >= 24]
    assert len(others) == 30 and set(others) == set(range(24, 44))
