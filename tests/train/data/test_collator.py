"""Batches: pairs of a sentence together, each sentence and image once."""

import numpy as np
import pytest
from datasets import Dataset
from mnre_fixture import write_mnre
from tiny import tiny_tokenizer

from train.data.collator import PairCollator, image_fields
from train.data.controls import shuffle_images
from train.data.corpora import Source
from vmhan import VMHANProcessor
from vmhan.data.mnre import load_mnre
from vmhan.data.schema import group_by_sentence, sort_by_sentence


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Dataset:
    return load_mnre(write_mnre(tmp_path_factory.mktemp("mnre"), sentences=41))["train"]


def collator(**settings) -> PairCollator:
    return PairCollator(VMHANProcessor(tiny_tokenizer(), entity_markers="shared"), **settings)


def test_evaluation_order_holds_the_same_rows(rows):
    ordered = sort_by_sentence(rows)
    assert sorted(ordered["line"]) == sorted(rows["line"])
    lengths = [len(words) for words in ordered["words"]]
    assert lengths == sorted(lengths)


def test_batch_encodes_each_sentence_and_image_once(rows):
    group = next(group for group in group_by_sentence(rows) if len(group) == 3)
    batch = collator()([rows[i] for i in group])
    assert batch["input_ids"].shape[0] == 1 and batch["visual_text_ids"].shape[0] == 1
    assert batch["pair_sentence"].tolist() == batch["pair_image"].tolist() == [0, 0, 0]


def test_spans_cover_the_words_of_the_mentions(rows):
    batch = collator()([rows[0]])
    tokenizer = tiny_tokenizer()
    ids = batch["input_ids"][0]
    for name in ("head", "tail"):
        start, end = batch[f"{name}_span"][0].tolist()
        words = rows[0]["words"][slice(*rows[0][f"{name}_span"])]
        assert "".join(tokenizer.convert_ids_to_tokens(ids[start:end])).replace("##", "") == "".join(words).lower()


def test_labels_follow_their_pairs(rows):
    shuffled = rows.shuffle(seed=1).select(range(20))
    batch = collator()(list(shuffled))
    expected = sorted((row["relation"], row["head_span"][1] - row["head_span"][0]) for row in shuffled)
    assert sorted(batch["labels"].tolist()) == [relation for relation, _ in expected]
    one_by_one = [collator()([row])["labels"].item() for row in shuffled]
    assert sorted(one_by_one) == sorted(batch["labels"].tolist())


def test_text_only_batch_holds_nothing_of_an_image(rows):
    batch = collator(visual_setting="text_only")([rows[0]])
    assert "pair_image" not in batch and "visual_text_ids" not in batch


def test_object_names_alone_leave_the_description_out(rows):
    batch = collator(visual_setting="object_names")([rows[0]])
    assert batch["visual_text_mask"][0].any(dim=-1).tolist() == [False] + [True] * len(rows[0]["object_names"])


def test_a_sentence_composed_of_the_names_takes_the_place_of_the_description(rows):
    row = {**rows[0], "object_names": ["man", "man", "football"]}
    told = image_fields(row, "composed", use_boxes=False)
    assert told["description"] == "Two men and a football."
    assert [item["label"] for item in told["objects"]] == row["object_names"]


def test_boxes_join_as_objects_without_a_name(rows):
    processor = VMHANProcessor(tiny_tokenizer(), max_objects=6)
    row = next(row for row in rows if row["object_boxes"])
    batch = PairCollator(processor, use_boxes=True)([row])
    names, boxes = len(row["object_names"]), len(row["object_boxes"])
    assert batch["object_box_mask"].tolist() == [[False] * names + [True] * boxes]
    assert batch["visual_text_mask"][0].any(dim=-1).tolist() == [True] * (1 + names) + [False] * boxes


def test_shuffling_gives_no_image_its_own_description_and_keeps_rows_of_an_image_alike(rows):
    unique = rows.map(lambda row: {"description": row["image_id"]})
    shuffled = shuffle_images(unique, seed=0)
    assert all(row["description"] != row["image_id"] for row in shuffled)
    assert len({(row["image_id"], row["description"]) for row in shuffled}) == len(set(rows["image_id"]))
    assert shuffled["relation"] == rows["relation"]


def test_sentence_whose_entities_are_to_be_found_has_no_markers_and_no_pairs(rows):
    entities = {"words": ["Ada", "in", "Rome"], "mentions": [[0, 1]], "unknown": [[2, 3]], "entity_kinds": ["person"]}
    entities |= {"image_id": "", "relation": -1, "source": 1}
    sources = [Source("main", candidates=np.eye(8, dtype=bool)), Source("entities")]
    batch = collator(sources=sources, mention_kinds=["person", "place"])([rows[0], entities])
    assert len(batch["labels"]) == 1 and len(batch["input_ids"]) == 2
    assert (batch["mention_labels"][0] == -100).all()
    # [CLS] a d a i n r o m e [SEP]
    assert batch["mention_labels"][1, :11].tolist() == [-100, 1, 2, 2, 0, 0, -100, -100, -100, -100, -100]


def test_pair_brings_the_style_weight_and_candidates_of_its_corpus(rows):
    candidates = np.eye(8, dtype=bool)
    candidates[rows[0]["relation"], 7] = True
    sources = [Source("main", loss_weight=0.5, style=1, candidates=candidates, kinds=np.full((8, 2), 3))]
    batch = collator(sources=sources)([rows[0]])
    assert batch["annotation_style"].tolist() == [1] and batch["pair_weight"].tolist() == [0.5]
    assert batch["candidate_labels"].tolist() == [candidates[rows[0]["relation"]].tolist()]
    assert batch["kind_labels"].tolist() == [[3, 3]]
