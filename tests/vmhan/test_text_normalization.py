"""Names found in text that spells them otherwise."""

import random
import time
import unicodedata

import pytest

from vmhan.extraction_request import read_request
from vmhan.text_normalization import NormalizedText, normalize

# What a text may be made of, each with what it normalizes to; written down apart from the code.
UNITS = [("x", "x"), ("y", "y"), ("Z", "Z"), ("&", "&"), ("i", "i"), (";", ";"), ("-", "-"), ("—", "-")]
UNITS += [("é", "é"), ("e\u0301", "é"), ("e\u00ad\u0301", "é"), ("x\u0301", "x\u0301"), ("&eacute;", "é")]
UNITS += [("한", "한"), ("\u1112\u1161\u11ab", "한"), ("ﬁ", "fi"), ("…", "..."), ("Ｚ", "Z"), ("𝓩", "Z"), ("™", "™")]
UNITS += [("&amp;", "&"), ("&amp;amp;", "&"), ("&#38;", "&"), ("&#x26;", "&"), ("& gt ;", ">"), ("\u2011", "-")]
UNITS += [("’", "'"), ("&rsquo;", "'"), ("`", "'"), ("“", '"'), ("&quot;", '"')]
UNITS += [("❤\ufe0f", "❤"), ("👍🏽", "👍🏽"), ("🇩🇪", "🇩🇪")]
UNSEEN = [(sign, "") for sign in ("\u200b", "\u200c", "\ufeff", "\u00ad", "\u2060", "\u200e", "&#8203;", "&zwnj;")]
BLANKS = [(sign, " ") for sign in (" ", "\u00a0", "\u2009", " \n ", "&nbsp;", "\t", "\u3000", " \u200b ")]


def random_units(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Units of a text; no two blanks follow one another, for they are one."""
    units = []
    for _ in range(count):
        pool = rng.choice([UNITS, UNITS, UNITS, UNSEEN, BLANKS])
        if pool is BLANKS and (not units or any(units[-1] in pool for pool in (BLANKS, UNSEEN))):
            pool = UNITS
        units.append(rng.choice(pool))
    return units


def spans_by_a_loop(units: list[tuple[str, str]], wanted: str) -> list[tuple[int, int]]:
    """Every run of units that normalizes to `wanted` and neither starts nor ends with what is not seen."""
    found = []
    offsets = [sum(len(original) for original, _ in units[:i]) for i in range(len(units) + 1)]
    for start in range(len(units)):
        for end in range(start + 1, len(units) + 1):
            run = [normal for _, normal in units[start:end]]
            if run[0] and run[-1] and "".join(run) == wanted:
                found.append((offsets[start], offsets[end]))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_occurrences_are_those_that_a_plain_loop_over_the_units_finds(seed):
    rng = random.Random(seed)
    units = random_units(rng, 24)
    text = NormalizedText("".join(original for original, _ in units))
    found = 0
    for _ in range(12):
        start = rng.randrange(len(units))
        name = "".join(normal for _, normal in units[start : start + rng.randint(1, 3)]).strip()
        expected = spans_by_a_loop(units, name)
        assert [text.span(*place) for place in text.find(name)] == expected, (text.original, name)
        found += len(expected)
    assert found


@pytest.mark.parametrize(
    "written, named, meant",
    [
        ("AT&amp;T hired Ada", "AT&T", "AT&amp;T"),
        ("AT&T hired Ada", "AT&amp;T", "AT&T"),
        ("AT&amp;amp;T hired Ada", "AT&T", "AT&amp;amp;T"),
        ("Touch & amp ; Sketch hired Ada", "Touch & Sketch", "Touch & amp ; Sketch"),
        ("O&#39;Neil met Ada", "O'Neil", "O&#39;Neil"),
        ("Jos&eacute; met Ada", "José", "Jos&eacute;"),
        ("Barnes&Noble; met Ada", "Noble", "Noble"),
        ("José met Ada", "Jose\u0301", "José"),
        ("Jose\u0301 met Ada", "José", "Jose\u0301"),
        ("\u1112\u1161\u11ab met Ada", "한", "\u1112\u1161\u11ab"),
        ("O’Neil met Ada", "O'Neil", "O’Neil"),
        ("O'Neil met Ada", "O’Neil", "O'Neil"),
        ("“The Who” met Ada", '"The Who"', "“The Who”"),
        ("Saint‑Denis met Ada", "Saint-Denis", "Saint‑Denis"),
        ("New\u00a0York met Ada", "New York", "New\u00a0York"),
        ("New\u202f \n York met Ada", "New York", "New\u202f \n York"),
        ("New York met Ada", " New\n\nYork ", "New York"),
        ("New\u200b York met Ada", "New York", "New\u200b York"),
        ("Micro\u00adsoft met Ada", "Microsoft", "Micro\u00adsoft"),
        ("می\u200cخواهم met Ada", "میخواهم", "می\u200cخواهم"),
        ("\ufeffBob met Ada", "\u200bBob", "Bob"),
        ("\u2068Bob\u2069 met Ada", "Bob", "Bob"),
        ("𝓑𝓸𝓫 met Ada", "Bob", "𝓑𝓸𝓫"),
        ("I ❤\ufe0f NY met Ada", "I ❤ NY", "I ❤\ufe0f NY"),
    ],
)
def test_an_entity_is_found_however_it_is_written(written, named, meant):
    request = read_request({"text": written, "entities": [named, "Ada"]})
    start, end = request.mentions[0]
    assert (written[start:end], start) == (meant, written.index(meant))
    assert request.text == written and request.warnings == []


@pytest.mark.parametrize(
    "written, named",
    [
        ("ﬁn met Ada", "in"),
        ("José met Ada", "Jose"),
        ("AT&T met Ada", "amp"),
        ("Bob met Ada", "\u200b"),
        ("Bob\u200b met Ada", "\u200b"),
    ],
)
def test_a_part_of_a_letter_is_no_entity(written, named):
    with pytest.raises(ValueError, match="does not occur in the text"):
        read_request({"text": written, "entities": [named, "Ada"]})


@pytest.mark.parametrize(
    "written, named, meant",
    [
        ("Jose\u0301 met Ada", "Jose", "Jose\u0301"),
        ("\u1112\u1161\u11ab met Ada", "\u1112\u1161", "\u1112\u1161\u11ab"),
        ("👍🏽 met Ada", "👍", "👍🏽"),
        ("Chorong & amp ; Ada", "Chorong & amp", "Chorong & amp ;"),  # so MNRE cuts its mentions
        ("& gt;Roger met Ada", "gt;Roger", "& gt;Roger"),
    ],
)
def test_a_name_that_cuts_an_escape_or_a_letter_means_all_of_it(written, named, meant):
    request = read_request({"text": written, "entities": [named, "Ada"]})
    assert written[slice(*request.mentions[0])] == meant
    assert f"only inside of {meant!r}" in request.warnings[0]


def test_every_unit_is_left_where_it_was():
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, "Zoë naïve Ǻ ṩ 한국 ") * 3
        normalized = NormalizedText(text)
        pieces = [text[start:end] for start, end in zip(normalized.starts, normalized.ends, strict=True)]
        assert normalized.text == unicodedata.normalize("NFC", text)
        assert [unicodedata.normalize("NFC", piece) for piece in pieces] == list(normalized.text)


def test_case_stays():
    assert normalize("US us Us") == "US us Us"


@pytest.mark.parametrize(
    "unit", ["&", "&amp;", "&a", "& amp ", "\u0301", "a\u200b", " ", "'", "&#", "www.", "@", "e\u0301 "]
)
def test_no_text_takes_long(unit):
    text = (unit * 20_000)[:20_000]
    started = time.process_time()
    NormalizedText(text)
    assert time.process_time() - started < 1  # what is quadratic takes minutes
