"""Sentences from templates: what plain ones say, for relations that no corpus holds well.

The templates, and the names that fill them, are our own, in `templates/`.
"""

import hashlib
import random
from collections import defaultdict
from itertools import combinations

from train.data.template_names import (
    FOLDER,
    PERSON_KINDS,
    Name,
    draw_name,
    draw_person,
    draw_place,
    draw_row,
    read_fillers,
    read_lines,
    table_of_kind,
)
from train.data.template_parser import (
    NO_RELATION,
    Template,
    choose_words,
    fill_words,
    join_templates,
    read_templates,
    split_sentence,
    template_files,
)

#: Path of the corpus in the settings.
TEMPLATES = "templates"
_NONE_SHARE = 0.25  # of the sentences
_LOWER_SHARE = 0.1
_FRAME_SHARE = 0.15
_JOINED_SHARE = 0.05  # of the sentences are followed by another one
_OPEN_END_SHARE = 0.15  # of the sentences have no full stop
_GIVEN_SHARE, _FAMILY_SHARE = 0.1, 0.05  # of the sentences call all people by that name alone
#: How often head and tail bear one family name; people without a relation do so at times as well.
_SAME_FAMILY = {
    "/per/per/parent": 0.5,
    "/per/per/siblings": 0.5,
    "/per/per/couple": 0.3,
    "/per/per/alternate_names": 0.2,
}
_SAME_FAMILY_ELSE = 0.08
#: Pairs of these relations are of one row of a table: the acronym is that of the name, and the town lies there.
_LINKED = frozenset({"/loc/loc/contain", "/org/org/alternate_names"})


def templated_rows(count: int, seed: int = 0) -> list[dict]:
    """Generates rows from templates, as `load_corpus` reads them from files; the same for the same arguments.

    A quarter of the sentences has no relation, the others are spread evenly over the relations. Each pair of mentions
    of a sentence is a row.

    Args:
        count: Of sentences.
        seed: Of all choices.
    """
    rng = random.Random(seed)
    templates = read_templates()
    none, *relations = templates
    with_relation = count - round(count * _NONE_SHARE)
    labels = [none] * (count - with_relation) + [relations[n % len(relations)] for n in range(with_relation)]
    rng.shuffle(labels)
    queues: dict[str, list[Template]] = defaultdict(list)
    seen: set[tuple[str, ...]] = set()
    rows: list[dict] = []
    for label in labels:
        if not queues[label]:
            queues[label] = rng.sample(templates[label], len(templates[label]))
        template = queues[label].pop()
        if rng.random() < _JOINED_SHARE:
            template = join_templates(template, rng.choice(templates[rng.choice([none, rng.choice(relations)])]))
        words, spans = _new_sentence(rng, template, label, seen)
        for head, tail, relation in _pairs(template, spans):
            spans_of_pair = {"head_span": spans[head], "tail_span": spans[tail]}
            rows.append({"line": len(rows) + 1, "words": words, **spans_of_pair, "relation": relation})
    return rows


def templates_checksum() -> str:
    """Computes the sha256 over the names and texts of all files that the sentences are made of."""
    digest = hashlib.sha256()
    for path in template_files():
        digest.update(f"{path.relative_to(FOLDER).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _new_sentence(
    rng: random.Random, template: Template, label: str, seen: set[tuple[str, ...]]
) -> tuple[list[str], dict[str, tuple[int, int]]]:
    """Fills a template until the sentence is a new one."""
    while True:
        text = choose_words(template.text, rng.choice)
        if text.endswith(".") and rng.random() < _OPEN_END_SHARE:
            text = text.rstrip(".")
        if rng.random() < _FRAME_SHARE:
            text = rng.choice(read_lines(FOLDER / "frames.txt")).replace("...", text, 1)
        names = _draw_names(rng, template, label)
        words, spans = split_sentence(fill_words(text, names, read_fillers(), rng.choice), names)
        if rng.random() < _LOWER_SHARE:
            words = [word.lower() for word in words]
        if tuple(words) not in seen:
            seen.add(tuple(words))
            return words, spans


def _draw_names(rng: random.Random, template: Template, label: str) -> dict[str, Name]:
    """Draws a name for each role; no two are the same."""
    while True:
        kinds = {slot.role: rng.choice(slot.kinds) for slot in template.slots}
        names = _draw_people(rng, kinds, label) | _draw_from_tables(rng, kinds, template)
        for role, kind in kinds.items():
            if role not in names:
                names[role] = draw_name(rng, kind)
        texts = {name.text for name in names.values()}
        given = [name.given for name in names.values() if name.given]
        if len(texts) == len(names) and len(set(given)) == len(given):
            return names


def _draw_people(rng: random.Random, kinds: dict[str, str], label: str) -> dict[str, Name]:
    """Draws the names of people, by role; in some sentences all by the given name, or by the family name."""
    share = rng.random()
    form = "given" if share < _GIVEN_SHARE else "family" if share < _GIVEN_SHARE + _FAMILY_SHARE else None
    if form == "family" and label in _SAME_FAMILY:
        form = None
    same_family = rng.random() < _SAME_FAMILY.get(label, _SAME_FAMILY_ELSE)
    names: dict[str, Name] = {}
    for role, kind in kinds.items():
        if kind not in PERSON_KINDS:
            continue
        relative = names.get({"head": "tail", "tail": "head"}.get(role, "")) if same_family else None
        # A relative is often called by the given name alone.
        form_of_person = form or (rng.choice(("full", "full", "given")) if relative else None)
        names[role] = draw_person(rng, kind, relative, form_of_person)
    return names


def _draw_from_tables(rng: random.Random, kinds: dict[str, str], template: Template) -> dict[str, Name]:
    """Draws the names that are columns of a table, by role, those of a linked pair from one row."""
    linked = [set(pair) for pair, relation in template.relations.items() if relation in _LINKED]
    groups: list[list[str]] = []
    for role in kinds:
        if kinds[role] not in table_of_kind():
            continue
        group = next((group for group in groups if any({role, other} in linked for other in group)), None)
        if group is None:
            groups.append([role])
        else:
            group.append(role)
    names: dict[str, Name] = {}
    countries: set[str] = set()
    for roles in groups:
        columns = [kinds[role] for role in roles]
        table = table_of_kind()[columns[0]]
        drawn = draw_place(rng, columns, countries) if table == "places" else draw_row(rng, table, columns)
        names |= dict(zip(roles, drawn, strict=True))
    return names


def _pairs(template: Template, spans: dict[str, tuple[int, int]]) -> list[tuple[str, str, str]]:
    """Lists head, tail and label of each pair; a pair without a relation in the order of the sentence."""
    pairs = []
    for first, second in combinations(sorted(spans, key=spans.__getitem__), 2):
        head, tail = (second, first) if (second, first) in template.relations else (first, second)
        relation = template.relations.get((head, tail), NO_RELATION)
        if relation is not None:
            pairs.append((head, tail, relation))
    return pairs
