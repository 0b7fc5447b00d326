"""Relations, objects and numbers of an answer in plain words."""

import math
from collections import Counter

from vmhan.hypergraph import NODE_TYPES, OBJECT

NO_RELATION = "None"
WHOLE_IMAGE = "image"  # the pipeline's label of the whole image among the visual nodes
# Where the label alone would not read well between two names; "alumi" is MNRE's own spelling.
_SPELLING = {
    "alumi": "alumni",
    "charges": "in charge of",
    "contain": "contains",
    "held_on": "held in",
    "locate_at": "located in",
}

_ObjectKey = tuple[str, tuple[float, ...]]  # label and box


# Relations


def relation_label(relation: str) -> str:
    """Renders a label in plain words: `/per/org/member_of` as "member of"."""
    if relation == NO_RELATION:
        return "no relation"
    name = relation.rsplit("/", 1)[-1]
    return _SPELLING.get(name, name.replace("_", " "))


def is_related(pair: dict) -> bool:
    """Checks that a pair has a relation, by the page's own mark or else by MNRE's negative label."""
    return pair.get("related", pair["relation"] != NO_RELATION)


def relation_words(pair: dict) -> str:
    """Renders the relation of a pair in plain words."""
    return relation_label(pair["relation"] if is_related(pair) else NO_RELATION)


def relative_entropy(pair: dict) -> float:
    """Computes the entropy of the scores of a pair as a share of the largest possible one, 0 to 1."""
    return pair["entropy"] / math.log(len(pair["scores"])) if len(pair["scores"]) > 1 else 0.0


def sort_pairs(pairs: list[dict]) -> list[dict]:
    """Sorts pairs with a relation first, then by score."""
    return sorted(pairs, key=lambda pair: (not is_related(pair), -pair["score"]))


def summary(pairs: list[dict]) -> str:
    """Summarizes the number of relations, their kinds and the pairs."""
    found = [pair["relation"] for pair in pairs if is_related(pair)]
    kinds = len(set(found))
    if not found:
        return f"No relation in {count(len(pairs), 'pair')}"
    of_kinds = f" of {count(kinds, 'kind')}" if kinds > 1 else ""
    return f"{count(len(found), 'relation')}{of_kinds} in {count(len(pairs), 'pair')}"


# Objects


def number_objects(answer: dict) -> dict:
    """Numbers the objects of an answer that have a box and share a label: "person 1" and "person 2", surest first.

    Args:
        answer: As the pipeline returns it.
    """
    names = _numbered([_object_key(item) for item in answer["objects"] if item["box"]])
    pairs = [{**pair, **_renamed_nodes(pair, answer["objects"], names)} for pair in answer["pairs"]]
    return {**answer, "objects": _renamed(answer["objects"], names), "pairs": pairs}


def _object_key(item: dict) -> _ObjectKey:
    return item["label"], tuple(item["box"] or ())


def _numbered(keys: list[_ObjectKey]) -> dict[_ObjectKey, str]:
    totals, seen, names = Counter(label for label, _ in keys), Counter(), {}
    for label, box in keys:
        if totals[label] > 1:
            seen[label] += 1
            names[label, box] = f"{label} {seen[label]}"
    return names


def _renamed(items: list[dict], names: dict[_ObjectKey, str]) -> list[dict]:
    return [{**item, "label": names.get(_object_key(item), item["label"])} for item in items]


def _renamed_nodes(pair: dict, objects: list[dict], names: dict[_ObjectKey, str]) -> dict:
    """Renames the objects of a pair and the object nodes of its hypergraph, which are in the order of `objects`."""
    renamed = {"objects": _renamed(pair["objects"], names)}
    if graph := pair.get("hypergraph"):
        of_pair = {_object_key(item) for item in pair["objects"]}
        in_graph = [item for item in objects if _object_key(item) in of_pair]
        labels = iter([item["label"] for item in _renamed(in_graph, names)])
        nodes = [
            {**node, "name": next(labels, node["name"])} if node["kind"] == NODE_TYPES[OBJECT] else node
            for node in graph["nodes"]
        ]
        renamed["hypergraph"] = {**graph, "nodes": nodes}
    return renamed


def node_name(label: str) -> str:
    """Names a visual node."""
    return "the whole image" if label == WHOLE_IMAGE else label


# Text and numbers


def short(text: str, letters: int) -> str:
    """Cuts a text to a number of letters."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def count(number: int, noun: str) -> str:
    """Renders a number and its noun: "3 pairs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
