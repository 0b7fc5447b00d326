"""A tail that is an object of the image: one node of its hypergraph, and the object's."""

import pytest
import torch
from tiny import tiny_batch, tiny_model, tiny_processor

from vmhan.hypergraph import HEAD, OBJECT, TAIL
from vmhan.node_selection import NodeSelection
from vmhan.node_states import NodeGroup, replace_object_tails
from vmhan.pair_inputs import length_mask, pad_nested

FEATURES = ["pixels", "text", "box"]


def batch_with_tails(tails, **changes):
    """`tiny_batch` without further nodes; of its images the first has 3 objects, the second 2."""
    batch = {name: value for name, value in tiny_batch(len(tails)).items() if "phrase" not in name}
    return {**batch, "tail_object": torch.tensor(tails), **changes}


def nodes_of(model, batch):
    with torch.no_grad():
        return model.vmhan(**{name: value for name, value in batch.items() if name != "labels"})


def logits_of(model, batch):
    with torch.no_grad():
        return model(**batch).logits


@pytest.fixture(scope="module")
def model():
    return tiny_model(visual_features=FEATURES, node_type_embedding=False)


def test_the_node_of_the_tail_is_that_of_the_object(model):
    textual = nodes_of(model, batch_with_tails([-1, -1, -1, -1]))
    mixed = nodes_of(model, batch_with_tails([2, -1, 0, 1]))
    objects = (mixed.node_types == OBJECT).nonzero().flatten()
    for pair, tail in ((0, 2), (2, 0), (3, 1)):
        assert torch.equal(mixed.node_features[pair, TAIL], textual.node_features[pair, objects[tail]])
    assert torch.equal(mixed.node_features[1, TAIL], textual.node_features[1, TAIL])
    assert torch.equal(mixed.node_features[:, HEAD], textual.node_features[:, HEAD])


def test_the_object_that_is_the_tail_is_no_node_beside_it(model):
    nodes = nodes_of(model, batch_with_tails([2, -1, 0, 1]))
    kept = nodes.node_mask[:, nodes.node_types == OBJECT].tolist()
    assert kept == [[True, True, False], [True, True, False], [False, True, True], [True, False, False]]
    assert nodes.node_mask[:, TAIL].all()


def test_a_tail_need_not_be_among_the_selected_objects(model):
    selected = torch.tensor([[True, False, False]] * 2)
    nodes = nodes_of(model, batch_with_tails([2, -1], pair_object_mask=selected))
    everything = nodes_of(model, batch_with_tails([2, -1]))
    assert torch.equal(nodes.node_features[0, TAIL], everything.node_features[0, TAIL])
    assert nodes.node_mask[0, nodes.node_types == OBJECT].tolist() == [True, False, False]


def test_no_tail_that_is_an_object_changes_nothing(model):
    batch = batch_with_tails([-1] * 4)
    assert torch.equal(logits_of(model, batch), logits_of(model, {**batch, "tail_object": None}))


def test_the_span_of_such_a_tail_is_not_read(model):
    batch = batch_with_tails([0, 1])
    moved = {**batch, "tail_span": batch["tail_span"] + 1}
    assert torch.equal(logits_of(model, batch), logits_of(model, moved))


def test_the_gradient_reaches_the_features_of_the_object():
    model = tiny_model(visual_features=["pixels"])
    batch = batch_with_tails([1, 0])
    batch["visual_states"].requires_grad_()
    model(**batch)["logits"].sum().backward()
    assert batch["visual_states"].grad[0, 2].abs().sum() > 0


def test_an_image_that_holds_a_tail_is_never_hidden():
    model = tiny_model(visual_features=FEATURES, image_dropout=1.0).train()
    nodes = nodes_of(model, batch_with_tails([0, -1]))
    shown = nodes.node_mask[:, nodes.node_types == OBJECT].any(dim=1)
    assert shown.tolist() == [True, False]


@pytest.mark.parametrize(
    "changes, features",
    [
        ({"pair_image": torch.tensor([-1, 1])}, FEATURES),  # no image
        ({}, ["pixels"]),  # the third object of the first image has no pixels ...
        ({}, []),  # ... and a model that reads no image has no object
    ],
)
def test_a_tail_without_features_is_refused(changes, features):
    batch = batch_with_tails([2, -1], **changes)
    batch["visual_state_mask"][0, 3] = False
    with pytest.raises(ValueError, match=r"is the tail of (pair 0|a pair), .* visual_features"):
        nodes_of(tiny_model(visual_features=features), batch)


def test_an_object_that_no_image_has_is_refused(model):
    with pytest.raises(ValueError, match=r"tail_object is \[3, -1\], but images have 3 objects"):
        nodes_of(model, batch_with_tails([3, -1]))


def test_replacing_tails_leaves_the_inputs_as_they_are():
    mentions = NodeGroup(torch.zeros(1, 2, 4), torch.ones(1, 2, dtype=torch.bool), torch.tensor([HEAD, TAIL]))
    visual = NodeGroup(torch.ones(1, 2, 4), torch.ones(1, 2, dtype=torch.bool), torch.tensor([3, OBJECT]))
    taken, rest = replace_object_tails(mentions, visual, torch.tensor([0]))
    assert taken.states[0].mean(dim=-1).tolist() == [0, 1] and rest.mask.tolist() == [[True, False]]
    assert mentions.states.sum() == 0 and visual.mask.all()


TEXT = "Ada met Bob in Paris"
MENTIONS = [(0, 3), (8, 11), 0, 2]  # Ada, Bob, and two objects
OBJECTS = [{"label": name, "box": (0.5, 0.5, size / 8, size / 8)} for size, name in enumerate("abcd", start=1)]


def encode(pairs, mentions=MENTIONS, objects=OBJECTS, selections=None, **settings):
    """The batch of one sentence."""
    processor = tiny_processor(**settings)
    return processor([TEXT], [mentions], [pairs], [{"objects": objects}], selections=selections)


def test_a_mention_may_be_an_object():
    batch = encode([(0, 1), (0, 2), (1, 3)])
    assert batch["tail_object"].tolist() == [-1, 0, 2]
    assert batch["object_mask"].tolist() == [[True] * 4]
    assert torch.equal(batch["tail_span"][1:], batch["head_span"][1:])


def test_the_first_k_objects_stand_beside_a_tail_that_is_none_of_them():
    batch = encode([(0, 1), (0, 2), (1, 3)], max_objects=2)
    kept = [[place for place, kept in enumerate(row) if kept] for row in batch["pair_object_mask"].tolist()]
    assert kept == [[0, 1], [1, 2], [0, 1]]


def test_a_selection_of_objects_is_kept():
    selections = [[NodeSelection(objects=[3]), None]]
    batch = encode([(0, 2), (0, 3)], max_objects=1, selections=selections)
    assert batch["pair_object_mask"].tolist() == [[False, False, False, True], [True, False, False, False]]


def test_without_such_a_mention_the_batch_is_as_ever():
    batch = encode([(0, 1)], mentions=MENTIONS[:2], max_objects=2)
    assert "tail_object" not in batch and "pair_object_mask" not in batch
    assert batch["object_mask"].tolist() == [[True, True]]


@pytest.mark.parametrize("markers, opened", [("shared", {"[E]": 2}), ("pair", {"[H]": 1, "[T]": 0})])
def test_markers_stand_around_what_is_in_the_text(markers, opened):
    processor = tiny_processor(entity_markers=markers)
    batch = processor([TEXT], [MENTIONS], [[(0, 2)]], [{"objects": OBJECTS}])
    tokens = processor.tokenizer.convert_ids_to_tokens(batch["input_ids"][0])
    assert {marker: tokens.count(marker) for marker in opened} == opened
    start, end = batch["head_span"][0].tolist()
    assert "".join(tokens[start:end]).replace("##", "") == "ada"


@pytest.mark.parametrize(
    "pairs, mentions, why",
    [
        ([(2, 0)], MENTIONS, r"head of the pair \(2, 0\) of sentence 0 is object 0; heads are in the text"),
        ([(0, 1)], [(0, 3), 4], r"is object 4, but its image has 4 objects, counted from 0"),
        ([(0, 1)], [(0, 3), -1], r"is object -1, but its image has 4 objects"),
    ],
)
def test_wrong_objects_are_refused(pairs, mentions, why):
    with pytest.raises(ValueError, match=why):
        encode(pairs, mentions)


def test_a_batch_gives_what_its_sentences_give_alone(model):
    processor = tiny_processor(max_objects=2)
    requests = [
        ("Ada met Bob", [(0, 3), (8, 11)], [(0, 1)], {"objects": OBJECTS[:3]}),
        (TEXT, MENTIONS, [(0, 1), (0, 3)], {"objects": OBJECTS}),
        ("Bob is here", [(0, 3), 0], [(0, 1)], {"objects": OBJECTS[:1]}),
        ("Ada met Bob", [(0, 3), (8, 11)], [(0, 1)], None),
    ]
    together = logits_of(model, processor(*map(list, zip(*requests, strict=True))))
    alone = [logits_of(model, processor(*([part] for part in request))) for request in requests]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_rows_are_padded_to_the_longest():
    rows = [["a", None], [], ["b", "c", "d"]]
    assert pad_nested(rows, 0) == [["a", None, 0], [0, 0, 0], ["b", "c", "d"]]
    assert length_mask(rows).tolist() == [[True, True, False], [False] * 3, [True] * 3]
    assert pad_nested([], 0) == [] and pad_nested([[], []], 0) == [[], []]
