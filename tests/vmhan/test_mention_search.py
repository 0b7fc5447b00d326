"""Which occurrence of a name an entity is."""

import time

import pytest

from vmhan.extraction_request import read_request
from vmhan.request_entities import search_mention, search_mentions


def found(text: str, *entities) -> list[tuple[int, str]]:
    """The start of each entity and the letters there."""
    request = read_request({"text": text, "entities": list(entities)})
    return [(start, text[start:end]) for start, end in request.mentions]


def warnings(text: str, *entities) -> list[str]:
    return read_request({"text": text, "entities": list(entities)}).warnings


@pytest.mark.parametrize(
    "text, entities, starts",
    [
        ("Also Bob met Al", ["Al", "Bob"], [13, 5]),
        ("In Annapolis Bob met Anna", ["Anna", "Bob"], [21, 13]),
        ("Joanna, Bob and Anna", ["Anna", "Bob"], [16, 8]),
        ("Ada_L met Bob and Ada", ["Ada", "Bob"], [18, 10]),
        ("Adané met Bob and Ada", ["Ada", "Bob"], [18, 10]),
        ("Adane\u0301 met Bob and Ada", ["Ada", "Bob"], [19, 11]),
        ("Bob met Anna-Lena and Anna", ["Anna", "Bob"], [22, 0]),
        ("Bob met O'Neil and Neil", ["Neil", "Bob"], [19, 0]),
        ("Bob saw Al's car", ["Al", "Bob"], [8, 0]),
        ("RT @Ada: Bob met Ada", ["Ada", "Bob"], [17, 9]),
        ("#Ada Bob met Ada", ["Ada", "Bob"], [13, 5]),
        ("www.x.org/Ada Bob met Ada", ["Ada", "Bob"], [22, 14]),
        ("Adamant #TeamAda Bob", ["Ada", "Bob"], [13, 17]),
        ("RT @Ada: Bob", ["Ada", "Bob"], [4, 9]),
        ("RT @Ada: Bob", ["@Ada", "Bob"], [3, 9]),
        ("Bob in http://ada.org", ["ada", "Bob"], [14, 0]),
        ("李明在北京", ["北京", "李明"], [3, 0]),
        ("Bobは北京へ", ["北京", "Bob"], [4, 0]),
        ("アトムとトム", ["トム", "アトム"], [4, 0]),
        ("ABob A\u200bBob Eve", ["Bob", "Eve"], [7, 11]),
    ],
)
def test_a_name_is_a_whole_word_first(text, entities, starts):
    assert found(text, *entities) == list(zip(starts, entities, strict=True))


@pytest.mark.parametrize(
    "text, entities, starts",
    [
        ("Paris Hilton is in Paris", ["Paris", "Paris Hilton"], [19, 0]),
        ("Paris Hilton is in Paris", ["Paris Hilton", "Paris"], [0, 19]),
        ("Paris Hilton saw Paris Hilton in Paris", ["Paris", "Paris Hilton"], [33, 0]),
        ("Paris Hilton saw Paris Hilton in Paris", ["Paris", (0, 12)], [33, 0]),
        ("New York City Hall, not City Hall", ["City Hall", "New York City"], [24, 0]),
        ("Bob met Bob", ["Bob", (0, 3)], [8, 0]),
        ("Paris Hilton, #Paris", ["Paris", "Paris Hilton"], [15, 0]),
        ("Al Gore. Also", ["Al", "Al Gore"], [0, 0]),  # a whole word inside of another entity, rather than a part
        ("New York City Hall", ["City Hall", "New York City"], [9, 0]),
    ],
)
def test_a_name_is_no_part_of_another_entity_where_it_can_be_a_word_alone(text, entities, starts):
    assert [start for start, _ in found(text, *entities)] == starts


@pytest.mark.parametrize(
    "text, entities, starts",
    [
        ("Bob met Bob", ["Bob", "Bob"], [0, 8]),
        ("Bob met Eve and Bob", ["Bob", "Eve", "Bob"], [0, 8, 16]),
        ("AT&T sued AT&amp;T", ["AT&amp;T", "AT&T"], [0, 10]),
        ("Bobby saw Bob and Bob", ["Bob", "Bob"], [10, 18]),
        ("Bob, Bob and Bob", [(0, 3), "Bob", "Bob"], [0, 5, 13]),
    ],
)
def test_a_name_that_is_given_twice_has_two_occurrences(text, entities, starts):
    assert [start for start, _ in found(text, *entities)] == starts
    assert warnings(text, *entities) == []


def test_a_name_that_is_given_twice_and_occurs_once_is_refused():
    with pytest.raises(ValueError, match=r"Head and tail of the pair \(0, 1\) are both 'Al' at 0 to 2"):
        read_request({"text": "Al went. Also", "entities": ["Al", "Al"]})


def test_a_name_with_several_occurrences_has_a_warning_with_the_others():
    (warning,) = warnings("Bob met Ada, then Bob left Bob.", "Bob", "Ada")
    assert "'Bob' at 0 to 3" in warning and "18 to 21 and 27 to 30; give a (start, end) span" in warning
    (warning,) = warnings("Bob met Ada, then Bob left Bob.", "Bob", "Ada", "Bob")
    assert "'Bob' at 18 to 21" in warning and "the one at 27 to 30;" in warning
    (warning,) = warnings("Ada and Bob" + " Bob" * 9, "Bob", "Ada")
    assert "28 to 31 and 4 more" in warning


@pytest.mark.parametrize(
    "text, entities",
    [
        ("Bobby met Bob and Ada", ["Bob", "Ada"]),
        ("Paris Hilton met Ada in Paris", ["Paris", "Paris Hilton", "Ada"]),
        ("Bob met Bob and Ada", [(0, 3), "Bob", "Ada"]),
        ("Bob met Bob and Ada", [(0, 3), (16, 19)]),
        ("#TeamBob met Ada", ["Bob", "Ada"]),
    ],
)
def test_a_name_with_one_best_occurrence_comes_without_a_warning(text, entities):
    assert warnings(text, *entities) == []


def test_a_name_that_is_only_part_of_a_word_is_found_with_a_warning():
    text = "Ada also saw Bobby\u200d's"
    assert found(text, "Bob", "Ada") == [(13, "Bob"), (0, "Ada")]
    (warning,) = warnings(text, "Bob", "Ada")
    assert "'Bob' occurs in the text only inside of 'Bobby' at 13 to 18" in warning


def test_a_name_in_another_case_is_refused_with_the_letters_that_are_there():
    with pytest.raises(ValueError, match=r"'ada' does not occur .* letter by letter: there is 'Ada' at 8 to 11\."):
        read_request({"text": "Bob and Ada", "entities": ["ada", "Bob"]})


def test_one_entity_is_found_alone():
    assert search_mention("Also Al", "Al") == search_mention("Also Al", (5, 7)) == (5, 7)


def test_sixteen_names_are_found_in_milliseconds():
    names = [f"Name{letter} van der Name{letter}" for letter in "ABCDEFGHIJKLMNOP"]
    text = " and “others” saw Jose\u0301 &amp; Bob with ".join([*names, *names])[:2000]
    times = []
    for _ in range(5):
        started = time.process_time()
        search_mentions(text, names)
        times.append(time.process_time() - started)
    assert min(times) < 0.05  # ten times what it takes


def test_a_name_of_a_million_letters_is_refused_at_once_and_in_short():
    started = time.process_time()
    with pytest.raises(ValueError, match="does not occur") as error:
        read_request({"text": "Bob met Ada", "entities": ["&" * 5_000_000, "Ada"]})
    assert time.process_time() - started < 1 and len(str(error.value)) < 300


def test_names_that_occur_everywhere_are_found_in_time():
    started = time.process_time()
    search_mentions("a" * 2000, ["a" * length for length in range(1, 17)])
    search_mentions("a\u200b" * 1000, ["a", "aa"])
    search_mentions("e\u0301" * 1000, ["e", "\u0301"])
    search_mentions("www.a " * 300, ["a", "w", "www", "www.a"])
    assert time.process_time() - started < 2
