"""The pipeline of a model that was trained with selected nodes."""

import pytest
from tiny import tiny_model, tiny_processor
from transformers import pipeline

from vmhan.node_selection import NodeSelection

SENTENCE = {
    "text": "Ada met Bob in Rome",
    "entities": ["Ada", "Bob", "Rome"],
    "description": "A man in a hat holds a ball, near a dog.",
    "objects": ["tie", "scarf"],
}
COUNTS = {"num_text_phrases": 2, "num_visual_phrases": 2, "num_objects": 1}


def load(folder, **settings):
    tiny_model().save_pretrained(folder)
    tiny_processor(**settings).save_pretrained(folder)
    return pipeline("multimodal-relation-extraction", model=str(folder))


@pytest.fixture(scope="module")
def extract(tmp_path_factory):
    return load(tmp_path_factory.mktemp("words"), node_selection={"selector": "words", **COUNTS})


class Chosen:
    """Selects the same for every pair, and keeps what it was asked."""

    def __init__(self, selection: NodeSelection):
        self.selection, self.asked = selection, []

    def select(self, requests):
        self.asked += requests
        return [self.selection] * len(requests)


def test_each_pair_attends_to_its_selected_objects_and_phrases(extract):
    for pair in extract(SENTENCE)["pairs"]:
        labels = {node["label"] for node in pair["objects"]}
        assert len(labels & {"tie", "scarf"}) == 1  # k is 1
        assert len(labels & {"man", "hat", "ball", "dog"}) == 2  # and n
        assert sum(node["attention"] for node in pair["objects"]) == pytest.approx(1)


def test_a_selector_selects_the_nodes_of_every_pair(extract):
    selector = Chosen(NodeSelection(text_phrases=[(4, 7)], visual_phrases=["a red kite"], objects=[1]))
    answer = extract(SENTENCE, selector=selector, pairs=[(0, 1)], direction="given")
    (request,) = selector.asked
    assert request.entities == ("Ada", "Bob") and request.description == SENTENCE["description"]
    assert [item.label for item in request.objects] == ["tie", "scarf"]
    assert {node["label"] for node in answer["pairs"][0]["objects"]} == {"image", "scarf", "a red kite"}


def test_what_is_selected_changes_the_scores(extract):
    scores = [
        extract(SENTENCE, selector=Chosen(selection), pairs=[(0, 1)])["pairs"][0]["scores"]
        for selection in (NodeSelection(), NodeSelection(text_phrases=[(4, 7)]), NodeSelection(objects=[0]))
    ]
    assert scores[0] != scores[1] and scores[0] != scores[2]


def test_requests_of_a_batch_answer_as_single_ones(extract):
    other = {"text": "Ada met Bob", "entities": ["Ada", "Bob"]}
    together = extract([SENTENCE, other, SENTENCE], batch_size=3)
    for ours, asked in zip(together, (SENTENCE, other, SENTENCE), strict=True):
        theirs = extract(asked)
        for mine, yours in zip(ours["pairs"], theirs["pairs"], strict=True):
            assert mine["scores"] == pytest.approx(yours["scores"], abs=1e-5)
            assert [node["label"] for node in mine["objects"]] == [node["label"] for node in yours["objects"]]


def test_selection_falls_back_to_words_without_the_llm_of_training_with_a_warning(tmp_path, caplog):
    extract = load(tmp_path, node_selection={"selector": "llm", **COUNTS})
    assert extract(SENTENCE)["pairs"]
    assert "An LLM selected the nodes" in caplog.text


def test_a_model_without_selected_nodes_refuses_a_selector(tmp_path):
    extract = load(tmp_path)
    with pytest.raises(ValueError, match="trained without selected nodes"):
        extract(SENTENCE, selector="words")
