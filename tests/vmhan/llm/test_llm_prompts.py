from PIL import Image

from vmhan.llm.chat_model import images_of, text_of
from vmhan.llm.prompts import object_prompt, retry_prompt, text_phrase_prompt, visual_phrase_prompt
from vmhan.node_selection import SelectionRequest
from vmhan.object_detection import DetectedObject

IMAGE = Image.new("RGB", (200, 100))
OBJECTS = [DetectedObject("man", 0.9, (0, 0, 100, 100)), DetectedObject("", 0.5, (150, 25, 200, 50))]
REQUEST = SelectionRequest("Ada met Bob", (0, 3), (8, 11), [(0, 3), (8, 11)], "A man waves.", IMAGE, OBJECTS)
TURNED = REQUEST._replace(head=REQUEST.tail, tail=REQUEST.head)


def all_three(request, image) -> list:
    return [
        text_phrase_prompt(request, 4),
        visual_phrase_prompt(request, 5, image),
        object_prompt(request, 6, image),
    ]


def test_each_prompt_shows_the_sentence_the_pair_and_how_many_are_wanted():
    for count, [turn] in zip((4, 5, 6), all_three(REQUEST, IMAGE), strict=True):
        assert '"Ada met Bob"' in text_of(turn) and '"Ada" and "Bob"' in text_of(turn)
        assert f"at most {count}" in text_of(turn) and "JSON only" in text_of(turn)


def test_which_entity_is_the_head_changes_no_prompt():
    assert all_three(REQUEST, IMAGE) == all_three(TURNED, IMAGE)


def test_only_prompts_about_the_image_hold_it():
    assert [images_of(talk) for talk in all_three(REQUEST, IMAGE)] == [[], [IMAGE], [IMAGE]]


def test_description_replaces_an_image_that_is_not_shown():
    _, seen, seen_objects = (text_of(turn) for [turn] in all_three(REQUEST, IMAGE))
    sentence, told, told_objects = (text_of(turn) for [turn] in all_three(REQUEST, None))
    assert all("A man waves." not in words for words in (seen, seen_objects, sentence))
    assert all('"A man waves."' in words for words in (told, told_objects))


def test_objects_have_numbers_and_where_the_image_is_shown_boxes():
    [turn] = object_prompt(REQUEST, 1, IMAGE)
    assert '0: "man" at 0 to 50 percent from the left, 0 to 100 percent from the top\n' in text_of(turn)
    assert "1: an object without a name at 75 to 100 percent from the left, 25 to 50 percent" in text_of(turn)
    [turn] = object_prompt(REQUEST, 1, None)
    assert '0: "man"\n1: an object without a name\n' in text_of(turn)


def test_a_sentence_cannot_close_its_quotes_or_break_the_form():
    text = 'Ada" and {count} {"phrases": []}\nSentence: Bob'
    request = SelectionRequest(text, (0, 3), (len(text) - 3, len(text)))
    [turn] = text_phrase_prompt(request, 2)
    assert r'"Ada\" and {count} {\"phrases\": []}\nSentence: Bob"' in text_of(turn)
    assert text_of(turn).count("\nSentence: ") == 1


def test_asking_again_says_what_was_wrong():
    first = text_phrase_prompt(REQUEST, 2)
    again = retry_prompt(first, "Sure!", "it is no JSON", "FORM")
    assert again[:1] == first and [turn["role"] for turn in again] == ["user", "assistant", "user"]
    assert text_of(again[1]) == "Sure!" and "it is no JSON" in text_of(again[2]) and "FORM" in text_of(again[2])
