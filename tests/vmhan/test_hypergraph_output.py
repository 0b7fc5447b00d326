"""The hypergraph of each pair in the answers of the pipeline."""

import json

import pytest
from tiny import save_tiny_checkpoint, tiny_model, tiny_processor
from transformers import pipeline

from vmhan.visualization.hypergraph_drawing import GraphNode, Hyperedge
from vmhan.visualization.hypergraph_svg import hypergraph_svg

TASK = "multimodal-relation-extraction"
REQUEST = {"text": "Ada met Bob in Rome", "entities": ["Ada", "Bob"], "description": "A man with a red hat."}


def graphs(folder, *requests, **options) -> list[dict]:
    answers = pipeline(TASK, model=folder, hypergraph=True)(list(requests), batch_size=len(requests), **options)
    return [answer["pairs"][0]["hypergraph"] for answer in answers]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))


def test_nodes_are_named_and_hyperedges_attend_to_them(folder):
    (graph,) = graphs(folder, REQUEST, direction="given")
    assert [(node["name"], node["kind"]) for node in graph["nodes"]] == [
        ("Ada", "head"),
        ("Bob", "tail"),
        ("image", "image"),
        ("man", "object"),
        ("red hat", "object"),
    ]
    assert {edge["type"]: edge["members"] for edge in graph["hyperedges"]} == {
        "global": [0, 1, 2, 3, 4],
        "textual": [0, 1],
        "head_visual": [0, 2, 3, 4],
        "tail_visual": [1, 2, 3, 4],
    }
    assert all(sum(edge["attention"]) == pytest.approx(1, abs=1e-5) for edge in graph["hyperedges"])
    assert json.loads(json.dumps(graph)) == graph


def test_variance_of_head_and_tail_is_that_of_the_pair(folder):
    (pair,) = pipeline(TASK, model=folder, hypergraph=True)(REQUEST)["pairs"]
    head, tail = pair["hypergraph"]["nodes"][:2]
    assert (head["variance"] + tail["variance"]) / 2 == pytest.approx(pair["variance"], abs=1e-5)
    assert head["initial_variance"] > 0


def test_the_pair_is_drawn_the_way_round_it_is_returned(folder):
    (pair,) = pipeline(TASK, model=folder, hypergraph=True)(REQUEST)["pairs"]
    assert [node["name"] for node in pair["hypergraph"]["nodes"][:2]] == [pair["head"]["text"], pair["tail"]["text"]]


def test_a_batch_with_fuller_hypergraphs_changes_nothing(folder):
    plain = {"text": "Ada met Bob", "entities": ["Ada", "Bob"]}
    alone, beside = graphs(folder, plain)[0], graphs(folder, REQUEST, plain)[1]
    assert [edge["type"] for edge in alone["hyperedges"]] == ["global", "textual"]
    assert [node["name"] for node in alone["nodes"]] == [node["name"] for node in beside["nodes"]]
    assert alone["hyperedges"][0]["attention"] == pytest.approx(beside["hyperedges"][0]["attention"], abs=1e-5)


def test_selected_phrases_are_nodes_too(tmp_path):
    tiny_model().save_pretrained(tmp_path)
    selection = {"selector": "words", "num_text_phrases": 1, "num_visual_phrases": 1, "num_objects": 1}
    tiny_processor(node_selection=selection).save_pretrained(tmp_path)
    (graph,) = graphs(str(tmp_path), REQUEST)
    kinds = [node["kind"] for node in graph["nodes"]]
    assert kinds == ["head", "tail", "text_phrase", "image", "object", "visual_phrase"]
    assert all(node["name"] for node in graph["nodes"])


def test_a_structure_without_attention_weighs_members_by_what_it_gathers(tmp_path):
    (graph,) = graphs(save_tiny_checkpoint(tmp_path, structure_encoder="hgnn"), REQUEST)
    shares = {edge["type"]: edge["attention"] for edge in graph["hyperedges"]}
    assert shares["textual"] == pytest.approx([0.5, 0.5])
    entity, seen = 3**-0.5, 4**-0.5  # three hyperedges hold an entity, four a node of the image
    total = 2 * entity + 3 * seen
    assert shares["global"] == pytest.approx([entity / total] * 2 + [seen / total] * 3)


def test_a_structure_that_needs_no_hyperedge_is_drawn_with_none(tmp_path):
    (graph,) = graphs(save_tiny_checkpoint(tmp_path, structure_encoder="gat"), REQUEST)
    assert graph["hyperedges"] == [] and len(graph["nodes"]) == 5


def test_edges_of_two_nodes_are_no_hypergraph(tmp_path):
    folder = save_tiny_checkpoint(tmp_path, hyperedges=["pairwise"])
    assert "hypergraph" not in pipeline(TASK, model=folder, hypergraph=True)(REQUEST)["pairs"][0]


def test_it_can_be_drawn(folder):
    (graph,) = graphs(folder, REQUEST)
    nodes = [GraphNode(node["name"], node["kind"]) for node in graph["nodes"]]
    edges = [
        Hyperedge(edge["type"], dict(zip(edge["members"], edge["attention"], strict=True)))
        for edge in graph["hyperedges"]
    ]
    assert hypergraph_svg(nodes, edges).count('class="part edge') == 4
