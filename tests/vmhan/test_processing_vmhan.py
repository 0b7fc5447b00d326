import pytest
import torch
from tiny import tiny_model, tiny_processor
from transformers import AutoProcessor

from vmhan import VMHANProcessor
from vmhan.hypergraph import NODE_TYPES
from vmhan.node_selection import NodeSelection
from vmhan.text_encoder import insert_markers

TEXT = "Ada met Bob in Paris"
MENTIONS = [(0, 3), (8, 11), (15, 20)]
PAIRS = [(0, 1), (1, 2), (2, 0)]


def encode(text=TEXT, mentions=MENTIONS, pairs=PAIRS, images=None, **settings):
    """A processor and its batch of one sentence."""
    processor = tiny_processor(**settings)
    return processor, processor(text=[text], mentions=[mentions], pairs=[pairs], images=images)


def spelled(processor, ids, mask=None) -> str:
    """The words that `ids` spell."""
    ids = ids if mask is None else ids[mask.bool()]
    return " ".join(processor.tokenizer.convert_ids_to_tokens(ids.tolist())).replace(" ##", "")


def spans_of(processor, batch) -> list[tuple[str, str]]:
    """What the spans of head and tail of each pair spell."""
    return [
        tuple(spelled(processor, batch["input_ids"][row, start:end]) for start, end in (head, tail))
        for row, head, tail in zip(batch["pair_sentence"], batch["head_span"], batch["tail_span"], strict=True)
    ]


def before_spans(processor, batch) -> list[tuple[str, str]]:
    """The token right before the spans of head and tail of each pair."""
    starts = zip(batch["pair_sentence"], batch["head_span"][:, 0], batch["tail_span"][:, 0], strict=True)
    return [
        tuple(processor.tokenizer.convert_ids_to_tokens([row[head - 1], row[tail - 1]]))
        for row, head, tail in ((batch["input_ids"][sentence], head, tail) for sentence, head, tail in starts)
    ]


# Sentences and markers


def test_without_markers_all_pairs_share_the_plain_sentence():
    processor, batch = encode()
    assert spelled(processor, batch["input_ids"][0]) == "[CLS] ada met bob in paris [SEP]"
    assert batch["pair_sentence"].tolist() == [0, 0, 0]
    assert spans_of(processor, batch) == [("ada", "bob"), ("bob", "paris"), ("paris", "ada")]


def test_shared_markers_stand_around_every_mention_of_the_one_sentence():
    processor, batch = encode(entity_markers="shared")
    assert spelled(processor, batch["input_ids"][0]) == ("[CLS] [E] ada [/E] met [E] bob [/E] in [E] paris [/E] [SEP]")
    assert batch["pair_sentence"].tolist() == [0, 0, 0]
    assert spans_of(processor, batch) == [("ada", "bob"), ("bob", "paris"), ("paris", "ada")]
    assert before_spans(processor, batch) == [("[E]", "[E]")] * 3


def test_pair_markers_take_one_sentence_for_each_pair():
    processor, batch = encode(entity_markers="pair")
    sentences = [spelled(processor, *row) for row in zip(batch["input_ids"], batch["attention_mask"], strict=True)]
    assert sentences == [
        "[CLS] [H] ada [/H] met [T] bob [/T] in paris [SEP]",
        "[CLS] ada met [H] bob [/H] in [T] paris [/T] [SEP]",
        "[CLS] [T] ada [/T] met bob in [H] paris [/H] [SEP]",
    ]
    assert batch["pair_sentence"].tolist() == [0, 1, 2]
    assert spans_of(processor, batch) == [("ada", "bob"), ("bob", "paris"), ("paris", "ada")]
    assert before_spans(processor, batch) == [("[H]", "[T]")] * 3


def test_closing_marker_kept_when_entity_ends_the_sentence():
    processor, batch = encode("Ada met Bob", [(0, 3), (8, 11)], [(0, 1)], entity_markers="shared")
    assert spelled(processor, batch["input_ids"][0]).endswith("[E] bob [/E] [SEP]")


@pytest.mark.parametrize(
    "mentions, sentence, inner",
    [
        ([(0, 13), (9, 13)], "[H] new york [T] city [/T] [/H] hall", ("new york [T] city [/T]", "city")),
        ([(0, 3), (0, 8)], "[T] [H] new [/H] york [/T] city hall", ("new", "[H] new [/H] york")),
        ([(0, 8), (4, 13)], "[H] new [T] york [/H] city [/T] hall", ("new [T] york", "york [/H] city")),
        ([(0, 3), (4, 8)], "[H] new [/H] [T] york [/T] city hall", ("new", "york")),
    ],
    ids=["nested at the end", "nested at the start", "crossing", "side by side"],
)
def test_nested_and_crossing_mentions_keep_all_markers(mentions, sentence, inner):
    text = "New York City Hall"
    processor, batch = encode(text, mentions, [(0, 1)], entity_markers="pair")
    assert spelled(processor, batch["input_ids"][0]) == f"[CLS] {sentence} [SEP]"
    assert spans_of(processor, batch) == [inner]
    assert before_spans(processor, batch) == [("[H]", "[T]")]

    processor, batch = encode(text, mentions, [(0, 1)], entity_markers="shared")
    words = spelled(processor, batch["input_ids"][0]).split()
    assert (words.count("[E]"), words.count("[/E]")) == (2, 2)
    assert before_spans(processor, batch) == [("[E]", "[E]")]


def test_a_mention_that_is_given_twice_is_marked_once():
    processor, batch = encode(mentions=[(0, 3), (8, 11), (0, 3)], pairs=[(0, 1), (2, 1)], entity_markers="shared")
    assert spelled(processor, batch["input_ids"][0]) == "[CLS] [E] ada [/E] met [E] bob [/E] in paris [SEP]"
    assert spans_of(processor, batch) == [("ada", "bob")] * 2


def test_insertion_leaves_the_words_in_their_order():
    ids, spans = list(range(10, 16)), [(0, 6), (1, 3), (2, 5), (5, 6)]
    marked, moved, indices = insert_markers(ids, spans, [(100 + i, 200 + i) for i in range(4)])
    assert [token for token in marked if token < 100] == [marked[index] for index in indices] == ids
    for i, (start, end) in enumerate(moved):
        assert (marked[start - 1], marked[end]) == (100 + i, 200 + i)
        assert [token for token in marked[start:end] if token < 100] == ids[slice(*spans[i])]


@pytest.mark.parametrize(
    "markers, spelt", [("shared", "[E]"), ("shared", "[SEP]"), ("none", "[CLS]"), ("pair", "[T]")]
)
def test_a_sentence_that_spells_a_special_token_keeps_its_words(markers, spelt):
    text = f"Ada {spelt} met {spelt} Bob"
    start = text.index("Bob")
    processor, batch = encode(text, [(0, 3), (start, start + 3)], [(0, 1)], entity_markers=markers)
    words = spelled(processor, batch["input_ids"][0])
    assert words.count(" ".join(["[", spelt.strip("[]").lower(), "]"])) == 2
    assert words.count("[SEP]") == words.count("[CLS]") == 1
    assert spans_of(processor, batch) == [("ada", "bob")]


@pytest.mark.parametrize(
    "text, mention, word",
    [
        ("😀😀 Ada met Bob", "Ada", "ada"),
        ("Ada met 🎉 Bob", "🎉", "[UNK]"),
        ("Ada met 👩‍👩‍👧 Bob", "Bob", "bob"),
        ("محمد met Ada", "Ada", "ada"),
        ("محمد met Ada", "محمد", "[UNK]"),
        ("Jose\u0301 met Ada", "Jose\u0301", "jose"),
        ("José met Ada", "José", "jose"),
        ("Jose\u0301 met Ada", "Ada", "ada"),
        ("Ada\x00\x07 met Bob", "Bob", "bob"),
        ("Ada\u200b met Bob", "Bob", "bob"),
        ("Ada\tmet\r\nBob", "Bob", "bob"),
        ("ŉ ﬁ İstanbul met Bob", "Bob", "bob"),
    ],
)
def test_characters_of_any_kind_move_no_mention(text, mention, word):
    start = text.index(mention)
    other = text.index("met")
    processor, batch = encode(text, [(start, start + len(mention)), (other, other + 3)], [(0, 1)])
    assert spans_of(processor, batch) == [(word, "met")]


def test_part_of_a_word_is_a_mention():
    processor, batch = encode("Adamantly", [(0, 3), (3, 9)], [(0, 1)])
    assert spans_of(processor, batch) == [("ada", "##mantly")]


@pytest.mark.parametrize("nothing", ["\u200d", "\x07", "\u0301", " "])
def test_a_mention_without_a_wordpiece_is_refused_by_name(nothing):
    text = f"Ada {nothing} met"
    with pytest.raises(ValueError, match="has no wordpiece for the entity") as error:
        encode(text, [(0, 3), (4, 5)], [(0, 1)])
    assert repr(nothing) in str(error.value) and "4 to 5" in str(error.value)


@pytest.mark.parametrize("markers, length", [("none", 18), ("shared", 24), ("pair", 22)])
def test_a_text_that_is_too_long_is_refused_with_both_lengths(markers, length):
    with pytest.raises(ValueError, match=f"{length} wordpieces .* at most {length - 1}.*Ada met Bob"):
        encode(entity_markers=markers, max_length=length - 1)
    _, batch = encode(entity_markers=markers, max_length=length)
    assert batch["input_ids"].shape[1] == length


def test_unknown_markers_are_refused():
    with pytest.raises(ValueError, match='"both" is none of'):
        tiny_processor(entity_markers="both")


def test_labels_come_in_the_order_of_the_pairs():
    batch = tiny_processor()(
        text=[TEXT] * 2, mentions=[MENTIONS] * 2, pairs=[PAIRS, PAIRS[:1]], labels=[[3, 1, 2], [5]]
    )
    assert batch["labels"].tolist() == [3, 1, 2, 5]
    assert batch["pair_sentence"].tolist() == [0, 0, 0, 1]


# Images

MAN = {"label": "man", "box": (0.5, 0.5, 0.2, 0.4)}
STREET = {"description": "a street", "objects": [MAN, {"label": "car", "box": None}]}


def encode_images(images: list, **settings):
    processor = tiny_processor(**settings)
    count = len(images)
    return processor, processor([TEXT] * count, [MENTIONS] * count, [PAIRS[:2]] * count, images)


def known_words(processor, batch) -> list[list[str]]:
    """What is said about each image and each of its objects."""
    return [
        [spelled(processor, ids, mask) for ids, mask in zip(*of_image, strict=True)]
        for of_image in zip(batch["visual_text_ids"], batch["visual_text_mask"], strict=True)
    ]


def test_description_and_names_stand_in_rows_of_their_image():
    processor, batch = encode_images([STREET, {"description": None, "objects": [{"label": "dog"}]}])
    assert known_words(processor, batch) == [
        ["[CLS] a street [SEP]", "[CLS] man [SEP]", "[CLS] car [SEP]"],
        ["", "[CLS] dog [SEP]", ""],
    ]
    assert batch["object_mask"].tolist() == [[True, True], [True, False]]
    assert batch["object_box_mask"].tolist() == [[True, False], [False, False]]
    assert torch.allclose(batch["object_boxes"][0, 0], torch.tensor(MAN["box"]))
    assert batch["pair_image"].tolist() == [0, 0, 1, 1]


def test_equal_images_are_encoded_once():
    again = {"description": "a street", "objects": [dict(MAN, box=list(MAN["box"])), {"label": "car"}]}
    _, batch = encode_images([STREET, None, again, {"description": "a street"}])
    assert batch["pair_image"].tolist() == [0, 0, -1, -1, 0, 0, 1, 1]
    assert len(batch["visual_text_ids"]) == len(batch["object_boxes"]) == 2


@pytest.mark.parametrize("images", [None, [None, None], [{}, None]])
def test_without_images_the_batch_has_nothing_visual(images):
    batch = tiny_processor()([TEXT] * 2, [MENTIONS] * 2, [PAIRS] * 2, images)
    assert set(batch) == {"input_ids", "attention_mask", "pair_sentence", "head_span", "tail_span"}


@pytest.mark.parametrize("others", [[], [STREET]])
def test_a_description_needs_no_objects(others):
    processor, batch = encode_images([{"description": "fog", "objects": []}, *others])
    assert known_words(processor, batch)[0][0] == "[CLS] fog [SEP]"
    assert not batch["object_mask"][0].any()
    assert batch["object_boxes"].shape == (1 + len(others), 2 * len(others), 4)
    assert tiny_model(visual_features=["text", "box"])(**batch).logits.isfinite().all()


@pytest.mark.parametrize("label", [None, ""])
def test_an_object_may_have_a_box_alone(label):
    _, batch = encode_images([{"objects": [{"label": label, "box": MAN["box"]}]}])
    assert not batch["visual_text_mask"].any()
    assert batch["object_box_mask"].tolist() == [[True]]
    output = tiny_model(visual_features=["text", "box"])(**batch)
    assert output.node_mask.tolist() == [[True, True, False, True]] * 2


def test_only_the_first_objects_are_kept():
    image = {"objects": [{"label": word} for word in ("man", "car", "dog", "cat", "sky")]}
    processor, batch = encode_images([image], max_objects=2)
    assert known_words(processor, batch) == [["", "[CLS] man [SEP]", "[CLS] car [SEP]"]]


def test_long_descriptions_are_cut():
    processor, batch = encode_images([{"description": "streets " * 100}], max_phrase_length=9)
    assert known_words(processor, batch) == [["[CLS] streets [SEP]"]]


def test_a_description_that_spells_a_special_token_keeps_its_words():
    processor, batch = encode_images([{"description": "a sign [SEP] [PAD]"}])
    assert known_words(processor, batch) == [["[CLS] a sign [ sep ] [ pad ] [SEP]"]]


# Selected nodes

LONG = "Ada sings and Bob plays in Paris tonight"
LONG_MENTIONS = [(0, 3), (14, 17), (27, 32)]
SINGS, PLAYS_IN, TONIGHT = (4, 9), (18, 26), (33, 40)
SELECTIONS = [
    NodeSelection([SINGS, LONG_MENTIONS[2]], ["red dress"], [1]),
    NodeSelection([TONIGHT], [], [0, 1]),
    None,
    NodeSelection([PLAYS_IN, SINGS, TONIGHT], ["stage", "singing crowd"], []),
]
LONG_PAIRS = [(0, 1), (1, 2), (2, 0), (1, 0)]


def encode_selected(selections=SELECTIONS, image=STREET, **settings):
    """A processor and its batch of one sentence with a selection for each of its four pairs."""
    processor = tiny_processor(**settings)
    selected = None if selections is None else [selections]
    return processor, processor([LONG], [LONG_MENTIONS], [LONG_PAIRS], [image], selections=selected)


def phrases_of(processor, batch) -> list[list[str]]:
    """What the text phrases of each pair spell."""
    return [
        [spelled(processor, batch["input_ids"][row, start:end]) for start, end in spans[mask]]
        for row, spans, mask in zip(
            batch["pair_sentence"], batch["text_phrase_spans"], batch["text_phrase_mask"], strict=True
        )
    ]


@pytest.mark.parametrize("markers", ["none", "shared", "pair"])
def test_text_phrases_land_on_their_wordpieces_whatever_the_markers(markers):
    processor, batch = encode_selected(entity_markers=markers)
    assert phrases_of(processor, batch) == [["sings", "paris"], ["tonight"], [], ["plays in", "sings", "tonight"]]
    assert spans_of(processor, batch) == [("ada", "bob"), ("bob", "paris"), ("paris", "ada"), ("bob", "ada")]


def test_part_of_a_word_as_a_phrase_takes_the_wordpieces_it_shares_a_letter_with():
    selection = NodeSelection([(5, 7)])
    processor, batch = encode_selected([selection] * 4, entity_markers="pair")
    assert phrases_of(processor, batch) == [["##in"]] * 4


def test_visual_phrases_stand_with_their_pair():
    processor, batch = encode_selected()
    words = [
        [spelled(processor, ids, mask) for ids, mask in zip(*of_pair, strict=True)]
        for of_pair in zip(batch["visual_phrase_ids"], batch["visual_phrase_mask"], strict=True)
    ]
    assert words == [
        ["[CLS] red dress [SEP]", ""],
        ["", ""],
        ["", ""],
        ["[CLS] stage [SEP]", "[CLS] singing crowd [SEP]"],
    ]


def test_a_pair_without_a_selection_keeps_all_objects():
    _, batch = encode_selected()
    assert batch["pair_object_mask"].tolist() == [[False, True], [True, True], [True, True], [False, False]]


def test_model_gets_the_selected_nodes():
    _, batch = encode_selected()
    output = tiny_model()(**batch)
    kinds = [
        [NODE_TYPES[kind] for kind, real in zip(output.node_types, mask, strict=True) if real]
        for mask in output.node_mask
    ]
    pair, objects = ["head", "tail"], ["object", "object"]
    assert kinds == [
        [*pair, *["text_phrase"] * 2, "image", "object", "visual_phrase"],
        [*pair, "text_phrase", "image", *objects],
        [*pair, "image", *objects],
        [*pair, *["text_phrase"] * 3, "image", *["visual_phrase"] * 2],
    ]


@pytest.mark.parametrize("markers", ["none", "shared", "pair"])
@torch.no_grad()
def test_a_pair_s_logits_do_not_depend_on_the_phrases_of_other_pairs(markers):
    model = tiny_model(entity_markers=markers, visual_features=["text", "box"])
    together = model(**encode_selected(entity_markers=markers)[1]).logits
    for row, selection in enumerate(SELECTIONS):
        alone = [selection if other == row else None for other in range(4)]
        logits = model(**encode_selected(alone, entity_markers=markers)[1]).logits
        assert torch.allclose(logits[row], together[row], atol=1e-5)


@torch.no_grad()
def test_each_kind_of_selected_node_changes_its_pair():
    model = tiny_model()
    plain = model(**encode_selected(None)[1]).logits
    for selection in (NodeSelection([SINGS]), NodeSelection([], ["stage"]), NodeSelection(objects=[0])):
        logits = model(**encode_selected([selection, None, None, None])[1]).logits
        assert not torch.allclose(logits[0], plain[0], atol=1e-4)
        assert torch.allclose(logits[1:], plain[1:], atol=1e-5)


@torch.no_grad()
def test_selections_of_several_sentences_stay_with_them():
    processor, model = tiny_processor(), tiny_model()
    rows = [
        (TEXT, MENTIONS, PAIRS[:2], STREET, [NodeSelection([(4, 7)], ["fog"], [0]), None]),
        (LONG, LONG_MENTIONS, LONG_PAIRS, None, [s and s._replace(objects=None) for s in SELECTIONS]),
        (TEXT, MENTIONS, PAIRS[2:], {"description": "fog"}, [NodeSelection([(4, 7)])]),
    ]

    def logits(*rows):
        text, mentions, pairs, images, selections = zip(*rows, strict=True)
        return model(**processor(text, mentions, pairs, images, selections=selections)).logits

    assert torch.allclose(logits(*rows), torch.cat([logits(row) for row in rows]), atol=1e-5)


@pytest.mark.parametrize("selections", [None, [None] * 4, [NodeSelection()] * 4])
def test_empty_selections_leave_the_batch_as_it_is(selections):
    _, batch = encode_selected(selections)
    _, plain = encode_selected(None)
    assert set(batch) == set(plain) and "text_phrase_spans" not in batch


def test_without_an_image_only_text_phrases_join():
    _, batch = encode_selected([NodeSelection([SINGS], ["stage"])] * 4, image=None)
    assert {"text_phrase_spans", "text_phrase_mask"} == {name for name in batch if "phrase" in name}
    assert tiny_model()(**batch).node_mask.shape == (4, 3)


def test_an_object_that_the_image_has_not_is_refused():
    with pytest.raises(ValueError, match=r"pair 1 keeps the objects \[2\], but its image has 2"):
        encode_selected([None, NodeSelection(objects=[2]), None, None])
    with pytest.raises(ValueError, match=r"pair 0 keeps the objects \[0\], but its image has 0"):
        encode_selected([NodeSelection(objects=[0])] * 4, image={"description": "fog"})
    with pytest.raises(ValueError, match=r"keeps the objects \[-1\]"):
        encode_selected([NodeSelection(objects=[-1])] * 4)


@pytest.mark.parametrize("name", ["labels", "direction_given"])
def test_a_wrong_number_of_values_of_pairs_is_refused(name):
    with pytest.raises(ValueError, match=rf"{name} has \[2\] entries for sentences with \[3\] pairs"):
        tiny_processor()([TEXT], [MENTIONS], [PAIRS], **{name: [[1, 1]]})


def test_a_wrong_number_of_selections_is_refused():
    with pytest.raises(ValueError, match=r"\[3\] entries for sentences with \[4\] pairs"):
        encode_selected([None] * 3)


def test_a_phrase_without_a_wordpiece_is_refused_by_its_span():
    with pytest.raises(ValueError, match="phrase ' ' at characters 3 to 4"):
        encode_selected([NodeSelection([(3, 4)])] * 4)


# Batches and saving


@pytest.mark.parametrize("markers", ["none", "shared", "pair"])
@torch.no_grad()
def test_a_batch_gives_each_sentence_what_it_gets_alone(markers):
    processor = tiny_processor(entity_markers=markers)
    model = tiny_model(entity_markers=markers, visual_features=["text", "box"])
    rows = [
        (TEXT, MENTIONS, PAIRS, STREET),
        ("Dan likes Eve very much indeed", [(0, 3), (10, 13)], [(1, 0)], None),
        ("Eve and Dan", [(0, 3), (8, 11)], [(0, 1), (1, 0)], {"description": "fog"}),
        ("Eve, Dan", [(0, 3), (5, 8)], [(0, 1)], {"objects": [MAN]}),
    ]
    together = model(**processor(*zip(*rows, strict=True))).logits
    alone = [model(**processor(*([part] for part in row))).logits for row in rows]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_a_reloaded_processor_keeps_its_settings(tmp_path):
    settings = {
        "entity_markers": "pair",
        "max_length": 40,
        "max_phrase_length": 7,
        "max_objects": 5,
        "node_selection": {"selector": "words", "num_text_phrases": 2, "num_visual_phrases": 0, "num_objects": 3},
    }
    processor = tiny_processor(**settings)
    processor.save_pretrained(tmp_path)
    for again in (VMHANProcessor.from_pretrained(tmp_path), AutoProcessor.from_pretrained(tmp_path)):
        assert {name: getattr(again, name) for name in settings} == settings
        assert len(again.tokenizer) == len(processor.tokenizer)
        assert again.markers == {"[H]": "[", "[/H]": "]", "[T]": "<", "[/T]": ">"}
        ours, theirs = (one(["Ada [H] Bob"], [[(0, 3), (8, 11)]], [[(0, 1)]], [STREET]) for one in (processor, again))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_processor_comes_from_a_pretrained_tokenizer(tmp_path):
    tiny_processor().tokenizer.save_pretrained(tmp_path)
    processor = VMHANProcessor.from_text_pretrained(str(tmp_path), entity_markers="shared", max_objects=1)
    assert (processor.entity_markers, processor.max_objects) == ("shared", 1)
    assert processor.tokenizer.convert_tokens_to_ids("[E]") == len(tiny_processor().tokenizer)
