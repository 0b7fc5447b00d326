"""Mentions found in raw text: decoding against a plain loop, and texts through a tiny model."""

import itertools
import logging
import math

import pytest
import torch
from tiny import tiny_model, tiny_processor, tiny_tokenizer
from torch.nn import functional as F

from vmhan import mention_finder
from vmhan.mention_finder import FoundMention, MentionHead, decode_mentions, find_mentions
from vmhan.mention_labels import MENTION_KINDS

TEXTS = ["Ada met Bob in Paris", "Rome", "", "@ada_l saw #Rome, a.b 🚆 twice " * 3]


@pytest.fixture
def model():
    model = tiny_model()
    model.config.mention_kinds = list(MENTION_KINDS)
    torch.manual_seed(1)
    model.mention_head = MentionHead(16, len(MENTION_KINDS), hidden_size=8)
    with torch.no_grad():
        for parameter in model.mention_head.parameters():
            parameter.mul_(6)  # so that scores differ
    return model.eval()


def offsets_of(text):
    return tiny_tokenizer()(text, return_offsets_mapping=True)["offset_mapping"]


def logits_of(text, labels, sure=10.0):
    """Logits of the words' first characters: `labels` maps a word's offset to a label; all else is outside."""
    offsets = offsets_of(text)
    logits = torch.zeros(len(offsets), 9)
    for row, (start, end) in enumerate(offsets):
        logits[row, labels.get(start, 0) if start < end else 0] = sure
    return logits


def found(text, labels, **options):
    mentions = decode_mentions(text, offsets_of(text), logits_of(text, labels), MENTION_KINDS, **options)
    return [(text[mention.start : mention.end], mention.kind) for mention in mentions]


def test_a_mention_is_read_from_its_first_to_its_last_word():
    text = "Ada King met Bob in New York"
    assert found(text, {0: 1, 4: 2, 13: 1, 20: 3, 24: 4}) == [
        ("Ada King", "person"),
        ("Bob", "person"),
        ("New York", "place"),
    ]


def test_mentions_side_by_side_stay_apart():
    assert found("Ada Bob", {0: 1, 4: 1}) == [("Ada", "person"), ("Bob", "person")]


def test_a_word_is_never_cut():
    assert found("Adalbert", {0: 1, 1: 2, 3: 5}) == [("Adalbert", "person")]
    assert found("in Rome_2", {3: 3}) == [("Rome_2", "place")]


def test_an_accent_set_apart_stays_with_its_letter():
    assert found("Jose\u0301 ran", {0: 1}) == [("Jose\u0301", "person")]


def test_the_sign_of_a_handle_is_in_the_mention_and_that_of_a_hashtag_is_not():
    assert found("hi @ada_l !", {4: 1}) == [("@ada_l", "person")]
    assert found("hi @ ada", {5: 1}) == [("ada", "person")]
    assert found("hi a@b", {5: 1}) == [("b", "person")]
    assert found("in #Rome", {4: 3}) == [("Rome", "place")]


def test_no_mention_starts_with_a_sign_that_is_a_word():
    assert found("in #Rome", {3: 3, 4: 4}) == []
    assert found("@ Rome", {0: 3, 2: 4}) == []
    assert found("so :)", {3: 1, 4: 2}) == []


def test_the_kind_is_the_most_probable_one_over_all_words():
    text, labels = "Bank of England", [5, *[6] * 5, *[4] * 7]  # "England" alone is a place
    logits = F.pad(10 * F.one_hot(torch.tensor(labels), 9), (0, 0, 1, 1))  # (tokens, labels)
    assert decode_mentions(text, offsets_of(text), logits, MENTION_KINDS)[0][:3] == (0, 15, "place")
    logits[8:11] = logits[1]
    assert decode_mentions(text, offsets_of(text), logits, MENTION_KINDS)[0][:3] == (0, 15, "organization")


def plain_decode(words, probabilities, min_score):
    """All spans of words, scored by multiplying, the best ones taken first; a word is a wordpiece."""
    begin = [row[1::2].sum().item() for row in probabilities]
    inside = [row[2::2].sum().item() for row in probabilities] + [0.0]
    scored = []
    for first, last in itertools.combinations_with_replacement(range(len(words)), 2):
        probability = math.prod([begin[first], *inside[first + 1 : last + 1], 1 - inside[last + 1]])
        of_kinds = probabilities[first : last + 1, 1:].sum(dim=0).view(-1, 2).sum(dim=1)
        score = probability * (of_kinds.max() / of_kinds.sum()).item()
        if score >= min_score:
            scored.append((score, first, last, MENTION_KINDS[of_kinds.argmax()]))
    chosen = []
    for score, first, last, kind in sorted(scored, reverse=True):
        if all(last < start or end < first for _, start, end, _ in chosen):
            chosen.append((score, first, last, kind))
    return sorted((words[first][0], words[last][1], kind, score) for score, first, last, kind in chosen)


@pytest.mark.parametrize("seed", range(10))
def test_decoding_agrees_with_a_plain_loop(seed):
    text = "a b c d e f g h"
    offsets = offsets_of(text)
    logits = 2 * torch.randn(len(offsets), 9, generator=torch.Generator().manual_seed(seed))
    expected = plain_decode(offsets[1:-1], logits[1:-1].softmax(dim=-1), 0.1)
    decoded = decode_mentions(text, offsets, logits, MENTION_KINDS, min_score=0.1)
    assert [mention[:3] for mention in decoded] == [mention[:3] for mention in expected]
    assert [mention.score for mention in decoded] == pytest.approx([mention[3] for mention in expected], abs=1e-5)


def test_the_score_is_the_probability_of_span_and_kind():
    logits = torch.full((4, 3), -20.0)
    logits[1] = torch.tensor([0.3, 0.7, 1e-9]).log()
    logits[2] = torch.tensor([0.4, 1e-9, 0.6]).log()
    text, offsets = "Ada King", [(0, 0), (0, 3), (4, 8), (0, 0)]
    assert decode_mentions(text, offsets, logits, ["person"], 0.4) == [
        FoundMention(0, 8, "person", pytest.approx(0.7 * 0.6))
    ]
    assert decode_mentions(text, offsets, logits, ["person"], 0.43) == []
    of_two_kinds = torch.tensor([[0.3, 0.5, 1e-9, 0.2, 1e-9]]).log()
    [mention] = decode_mentions("Ada", [(0, 3)], of_two_kinds, ["person", "place"], 0.4)
    assert mention == FoundMention(0, 3, "person", pytest.approx(0.7 * 0.5 / 0.7))


def test_a_text_without_words_has_no_mention():
    assert decode_mentions("", [(0, 0), (0, 0)], torch.zeros(2, 9), MENTION_KINDS, 0.0) == []


def test_mentions_of_texts_are_those_of_each_alone(model):
    together = find_mentions(TEXTS, model, tiny_processor(), min_score=0.05)
    assert any(together) and together[2] == []
    for text, mentions in zip(TEXTS, together, strict=True):
        [alone] = find_mentions([text], model, tiny_processor(), min_score=0.05)
        assert [mention[:3] for mention in alone] == [mention[:3] for mention in mentions]
        assert [mention.score for mention in alone] == pytest.approx([m.score for m in mentions], abs=1e-5)


def test_mentions_are_those_of_the_states_of_the_plain_text(model):
    text, processor = TEXTS[0], tiny_processor(entity_markers="none")
    encoded = processor.tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        logits = model.mention_head(model.vmhan.text_model(**encoded).last_hidden_state)[0]
    expected = decode_mentions(text, offsets_of(text), logits, MENTION_KINDS, 0.05)
    assert find_mentions([text], model, processor, min_score=0.05) == [expected]


def test_mentions_do_not_overlap_and_come_in_the_order_of_the_text(model):
    for text, mentions in zip(TEXTS, find_mentions(TEXTS, model, tiny_processor(), 0.01), strict=True):
        for before, after in itertools.pairwise(mentions):
            assert before.end <= after.start
        assert all(0 <= mention.start < mention.end <= len(text) and mention.score >= 0.01 for mention in mentions)


def test_many_texts_pass_the_encoder_in_chunks(model, monkeypatch):
    texts = [f"Ada met Bob in Paris {'again ' * number}" for number in range(12)]
    expected = find_mentions(texts, model, tiny_processor(), 0.05)
    sizes = []
    monkeypatch.setattr(mention_finder, "_TOKENS_AT_ONCE", 150)
    model.vmhan.text_model.register_forward_hook(lambda *call: sizes.append(call[2].last_hidden_state[..., 0].numel()))
    again = find_mentions(texts, model, tiny_processor(), 0.05)
    assert len(sizes) > 3 and max(sizes) <= 150
    assert [[m[:3] for m in mentions] for mentions in again] == [[m[:3] for m in mentions] for mentions in expected]


def test_a_long_text_is_read_up_to_the_longest_sentence_of_the_model(model, caplog):
    processor = tiny_processor(max_length=12)
    with caplog.at_level(logging.WARNING):
        [mentions] = find_mentions(["ab " * 40], model, processor, min_score=0.0)
    assert mentions and max(mention.end for mention in mentions) <= 15
    assert "1 texts are cut after 12 wordpieces" in caplog.text


def test_a_text_may_spell_out_a_special_token_or_a_marker(model):
    text = "[SEP] met [E] Bob [/E]"
    [mentions] = find_mentions([text], model, tiny_processor(), min_score=0.0)
    assert any(text[mention.start : mention.end].strip("[]/ ").startswith(("SEP", "E")) for mention in mentions)


def test_finding_mentions_leaves_the_model_in_training(model):
    model.train()
    first, second = (find_mentions(TEXTS[:1], model, tiny_processor(), 0.05) for _ in range(2))
    assert first == second and model.training and model.mention_head.training and model.vmhan.text_model.training


def test_a_model_without_a_mention_head_says_so():
    with pytest.raises(ValueError, match="no mention head, so it finds no entities by itself: name them"):
        find_mentions(TEXTS, tiny_model(), tiny_processor())


def test_a_score_is_a_probability(model):
    with pytest.raises(ValueError, match=r"min_score is 2; set a probability, 0 to 1\."):
        find_mentions(TEXTS, model, tiny_processor(), min_score=2)


def test_no_texts_have_no_mentions(model):
    assert find_mentions([], model, tiny_processor()) == []


def test_the_head_of_the_mini_model_takes_at_most_two_megabytes():
    head = MentionHead(384, len(MENTION_KINDS))
    assert head(torch.zeros(2, 5, 384)).shape == (2, 5, 9)
    assert 2 * sum(parameter.numel() for parameter in head.parameters()) < 2_000_000
