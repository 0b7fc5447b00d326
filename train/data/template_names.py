"""Names that fill the slots of the templates of sentences, from the lists in `templates/`."""

import random
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "templates"
#: Kinds of slots whose names are put together of given names and family names.
PERSON_KINDS = ("person", "man", "woman", "given")
#: Kinds of slots by the kind of entity in the names of relations.
KINDS = {
    "per": (*PERSON_KINDS, "alias"),
    "loc": ("place", "city", "region", "country", "landmark"),
    "org": (
        *("company", "team", "teamnick", "band", "party", "university", "newspaper", "shop", "league"),
        *("org", "acronym"),
    ),
    "misc": (
        *("nationality", "religion", "believer", "believers", "faith", "ethnicity", "award", "event", "contest"),
        *("film", "series", "episode", "song", "album", "book", "game", "expansion", "franchise"),
        *("product", "painting"),
    ),
}
ENTITY_OF_KIND = {kind: entity for entity, kinds in KINDS.items() for kind in kinds}
_PLACE_KINDS, _PLACE_SHARES = ("city", "region", "country"), (60, 15, 25)
_TOWN_SHARE = 0.25  # of the cities that need no region or country
_ENGLISH_SHARE = 0.3
_NAME_FORMS = ("full", "initial", "middle", "handle", "given")
_FORM_SHARES = (80, 6, 5, 4, 5)
_MISSING = "-"  # in a table


@dataclass(frozen=True)
class Name:
    """A name that fills a slot: its text without the article before it, and for people gender and parts."""

    text: str
    article: str = ""
    gender: str = ""
    given: str = ""
    family: str = ""


@dataclass(frozen=True)
class _People:
    """The names of a language."""

    given: dict[str, list[str]]
    family: list[str]
    family_first: bool


def draw_person(rng: random.Random, kind: str, family_of: Name | None = None, form: str | None = None) -> Name:
    """Draws a name of a person.

    Args:
        rng: The source of chance.
        kind: "person", "man", "woman" or "given".
        family_of: A relative, whose family name the person bears.
        form: "full", "given", "family", "initial", "middle" or "handle"; by default mostly the full name.
    """
    people = _people()
    english, *others = people
    language = english if rng.random() < _ENGLISH_SHARE else rng.choice(others)
    if family_of and family_of.family:
        language = next(p for p in people if family_of.family in p.family)
    gender = kind if kind in ("man", "woman") else rng.choice(("man", "woman"))
    given, family = rng.choice(language.given[gender]), rng.choice(language.family)
    if family_of and family_of.family:
        family = family_of.family
    form = "given" if kind == "given" else form or rng.choices(_NAME_FORMS, _FORM_SHARES)[0]
    initial = rng.choice("ABCDEFGHJKLMNPRSTVW")
    text = {
        "full": f"{family} {given}" if language.family_first else f"{given} {family}",
        "given": given,
        "family": family,
        "initial": f"{given[0]}. {family}",
        "middle": f"{given} {initial}. {family}",
        "handle": "@" + _ascii(given) + rng.choice(("", "_")) + _ascii(family) + rng.choice(("", "", "1", "99")),
    }[form]
    return Name(text, gender=gender, given=given, family=family)


def draw_place(rng: random.Random, kinds: list[str], taken: set[str]) -> list[Name]:
    """Draws names of places that lie in each other, or a nationality, all of one country.

    Args:
        rng: The source of chance.
        kinds: Of the slots that one row of the table of places fills.
        taken: Countries of other rows of the sentence; gets that of this one.
    """
    kinds = [rng.choices(_PLACE_KINDS, _PLACE_SHARES)[0] if kind == "place" else kind for kind in kinds]
    if kinds == ["city"] and rng.random() < _TOWN_SHARE:
        return [draw_name(rng, "town")]
    rows = [row for row in read_table("places") if _MISSING not in (row[kind] for kind in kinds)]
    row = rng.choice([row for row in rows if row["country"] not in taken])
    taken.add(row["country"])
    return [_split_article(row[kind]) for kind in kinds]


def draw_row(rng: random.Random, table: str, kinds: list[str]) -> list[Name]:
    """Draws names of one row of another table: an organization and its acronym, a religion and its believers."""
    rows = [row for row in read_table(table) if _MISSING not in (row[kind] for kind in kinds)]
    row = rng.choice(rows)
    return [_split_article(row[kind]) for kind in kinds]


def draw_name(rng: random.Random, kind: str) -> Name:
    """Draws a name from the list of a kind."""
    return _split_article(rng.choice(read_names(kind)))


@cache
def table_of_kind() -> dict[str, str]:
    """Finds which table holds each kind that is a column of one."""
    paths = sorted((FOLDER / "names" / "tables").glob("*.txt"))
    return {kind: path.stem for path in paths for kind in read_table(path.stem)[0]} | {"place": "places"}


@cache
def read_names(kind: str) -> list[str]:
    """Reads the list of a kind."""
    lines = read_lines(FOLDER / "names" / f"{kind}.txt")
    return [name for line in lines for name in split_list(line)]


@cache
def read_table(name: str) -> list[dict[str, str]]:
    """Reads a table, whose first line names the columns."""
    columns, *rows = (split_list(line) for line in read_lines(FOLDER / "names" / "tables" / f"{name}.txt"))
    return [dict(zip(columns, row, strict=True)) for row in rows]


@cache
def read_fillers() -> dict[str, list[str]]:
    """Reads the words that fill slots without being mentions."""
    fillers = {}
    for line in read_lines(FOLDER / "words.txt"):
        name, words = line.split(": ", 1)
        bounds = re.fullmatch(r"(\d+)\.\.(\d+)", words)
        fillers[name] = [str(n) for n in range(int(bounds[1]), int(bounds[2]) + 1)] if bounds else split_list(words)
    return fillers


@cache
def read_lines(path: Path) -> list[str]:
    """Reads the lines of a file that are neither empty nor comments."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("# ")]


def split_list(text: str) -> list[str]:
    """Splits a list of names with semicolons between them."""
    return [name.strip() for name in text.split(";")]


@cache
def _people() -> list[_People]:
    blocks: list[dict[str, str]] = []
    for line in read_lines(FOLDER / "people.txt"):
        if line.startswith("["):
            blocks.append({})
        else:
            field, names = line.split(": ", 1)
            blocks[-1][field] = names
    return [
        _People(
            given={"man": split_list(block["men"]), "woman": split_list(block["women"])},
            family=split_list(block["family"]),
            family_first=block.get("order") == "family first",
        )
        for block in blocks
    ]


def _split_article(name: str) -> Name:
    match = re.match(r"(the|an?) (.+)", name)
    return Name(match[2], match[1]) if match else Name(name)


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"\W", "", plain).lower()
