"""Templates of sentences: their lines, and the words of a sentence once names fill the slots.

`{head:person} is the [boss|coach] of {tail:person}, not of {other:man|woman}.` has three mentions, each with a role
and the kinds of names that may fill it, and a choice of words. `{head.his}` is a word that depends on who fills the
slot, `{job}` one of a list, `a(n)` the article that fits the next word, and `{tail:award-}` a name without its
article. After `||` stand the relations of other pairs, `other-tail /per/per/parent`; all pairs that are not named have
none, and with `-` a pair is left out, since people would not agree on it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from train.data.template_names import FOLDER, Name, read_lines

NO_RELATION = "None"
_SLOT = re.compile(r"\{(\w+):([\w|]+)(-?)\}")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_PAIR = re.compile(r"(\w+)-(\w+) (/\S+|-)")
_WORD = re.compile(
    r"[Aa]\(n\)|\.\.\.|a\.k\.a\.|i\.e\.|(?:feat|vs)\.|n't|'s\b|@\w+|\w+(?=n't)|\d+(?:[.,]\d+)+"
    r"|\w+(?:-\w+)*|[.,;:!?\"'()#&/-]|[^\w\s.,;:!?\"'()#&/-]+"
)
#: After these words a name has no article.
_DETERMINERS = frozenset("'s the a an his her their its our my this former new".split())  # noqa: SIM905
_FORMS = {
    "he": ("he", "she"),
    "him": ("him", "her"),
    "his": ("his", "her"),
    "self": ("himself", "herself"),
    "parent": ("father", "mother"),
    "child": ("son", "daughter"),
    "sibling": ("brother", "sister"),
    "spouse": ("husband", "wife"),
    "man": ("man", "woman"),
}


@dataclass(frozen=True)
class Slot:
    """The slot of a mention."""

    role: str
    kinds: tuple[str, ...]
    bare: bool


@dataclass(frozen=True)
class Template:
    """A template of sentences.

    Args:
        text: With the slots.
        relations: Labels by the roles of head and tail, None for pairs that are left out.
    """

    text: str
    relations: dict[tuple[str, str], str | None]

    @property
    def slots(self) -> list[Slot]:
        """The slots of mentions, from left to right."""
        return [Slot(role, tuple(kinds.split("|")), bool(bare)) for role, kinds, bare in _SLOT.findall(self.text)]


def template_files() -> list[Path]:
    """Lists all files of templates, names and words."""
    return sorted(FOLDER.rglob("*.txt"))


def read_templates() -> dict[str, list[Template]]:
    """Reads the templates of each label, the negative one first."""
    files = [FOLDER / "none.txt", FOLDER / "near_misses.txt"]
    templates = {NO_RELATION: [parse_template(line) for path in files for line in read_lines(path)]}
    for path in sorted((FOLDER / "relations").glob("*.txt")):
        label = "/{}/{}/{}".format(*path.stem.split("_", 2))
        templates[label] = [parse_template(line, label) for line in read_lines(path)]
    return templates


def parse_template(line: str, label: str = NO_RELATION) -> Template:
    """Parses a line; head and tail have the label.

    Raises:
        ValueError: The relations after `||` are not written as they should be, or name a role that is not there.
    """
    text, _, pairs = line.partition("||")
    relations: dict[tuple[str, str], str | None] = {} if label == NO_RELATION else {("head", "tail"): label}
    for pair in filter(None, map(str.strip, pairs.split(";"))):
        match = _PAIR.fullmatch(pair)
        if match is None or not {match[1], match[2]} <= {role for role, *_ in _SLOT.findall(text)}:
            raise ValueError(f"The template {line!r} has the pair {pair!r}; write two of its roles: head-other LABEL.")
        relations[match[1], match[2]] = None if match[3] == "-" else match[3]
    return Template(text.strip(), relations)


def join_templates(first: Template, second: Template) -> Template:
    """Joins the sentences of two templates; their mentions have nothing to do with each other."""
    end = "" if first.text[-1] in ".!?" else "."
    text = re.sub(r"\{(\w+)([:.])", r"{\1_next\2", second.text)
    relations = {(f"{head}_next", f"{tail}_next"): relation for (head, tail), relation in second.relations.items()}
    return Template(f"{first.text}{end} {text}", first.relations | relations)


def choose_words(text: str, choose: Callable[[list[str]], str]) -> str:
    """Replaces each choice of words by one of them.

    Args:
        text: Of a template.
        choose: Chooses one of a list.
    """
    return _CHOICE.sub(lambda match: choose(match[1].split("|")), text)


def fill_words(
    text: str, names: dict[str, Name], fillers: dict[str, list[str]], choose: Callable[[list[str]], str]
) -> str:
    """Replaces the slots that are no mentions by words that fit the names.

    Args:
        text: Of a template.
        names: By role.
        fillers: Words by the name of the slot; one that ends in a number, like `job2`, is another word.
        choose: Chooses one of a list.
    """
    used: set[str] = set()

    def word(match: re.Match) -> str:
        name, _, form = match[1].partition(".")
        if form:
            return _FORMS[form][names[name].gender == "woman"]
        words = fillers.get(name) or fillers[name.rstrip("0123456789")]
        chosen = choose([one for one in words if one not in used])
        used.add(chosen)
        return chosen

    return re.sub(r"\{(\w+(?:\.\w+)?)\}", word, text)


def split_sentence(text: str, names: dict[str, Name]) -> tuple[list[str], dict[str, tuple[int, int]]]:
    """Splits a text into words, with names in its slots.

    Returns:
        The words, and the span of each role.
    """
    words: list[str] = []
    spans: dict[str, tuple[int, int]] = {}
    position = 0
    for slot in _SLOT.finditer(text):
        words += _WORD.findall(text[position : slot.start()])
        name, role = names[slot[1]], slot[1]
        if name.article and not slot[3] and (not words or words[-1].lower() not in _DETERMINERS):
            begins = not words or words[-1] in (".", "?", "!", ":") or words == ['"']
            words.append(name.article.capitalize() if begins else name.article)
        of_name = [part for word in name.text.split() for part in re.split(r"(?<=\w)(?='s?$)", word)]
        spans.setdefault(role, (len(words), len(words) + len(of_name)))
        words += of_name
        position = slot.end()
    words += _WORD.findall(text[position:])
    if 0 not in {start for start, _ in spans.values()} and not words[0].startswith("@"):
        words[0] = words[0][0].upper() + words[0][1:]
    return _fit_articles(words), spans


def _fit_articles(words: list[str]) -> list[str]:
    """Replaces `a(n)` by the article that fits the next word."""
    fitted = list(words)
    for index, word in enumerate(words[:-1]):
        if word.lower() == "a(n)":
            vowel = re.match(r"(?!eu|uni|us|uga|ukr|uyg|one)[aeiouáéíóúāö]", words[index + 1].lower())
            fitted[index] = word[0] + ("n" if vowel else "")
    return fitted
