"""Names that tell the objects of an answer apart: of two persons "person 1" and "person 2"."""

from collections import Counter

from vmhan.hypergraph import NODE_TYPES, OBJECT

_Key = tuple[str, tuple[float, ...]]


def number_objects(answer: dict) -> dict:
    """The answer, in which objects that have a place and share their name are numbered, the surest first.

    Args:
        answer: As the pipeline returns it.
    """
    names = _numbered([_key(item) for item in answer["objects"] if item["box"]])
    pairs = [{**pair, **_named(pair, answer["objects"], names)} for pair in answer["pairs"]]
    return {**answer, "objects": _renamed(answer["objects"], names), "pairs": pairs}


def _key(item: dict) -> _Key:
    return item["label"], tuple(item["box"] or ())


def _numbered(keys: list[_Key]) -> dict[_Key, str]:
    many, seen, names = Counter(label for label, _ in keys), Counter(), {}
    for label, box in keys:
        if many[label] > 1:
            seen[label] += 1
            names[label, box] = f"{label} {seen[label]}"
    return names


def _renamed(items: list[dict], names: dict[_Key, str]) -> list[dict]:
    return [{**item, "label": names.get(_key(item), item["label"])} for item in items]


def _named(pair: dict, objects: list[dict], names: dict[_Key, str]) -> dict:
    """What of a pair holds names: its objects and, if there is one, its hypergraph, whose nodes are in their order."""
    named = {"objects": _renamed(pair["objects"], names)}
    if graph := pair.get("hypergraph"):
        of_pair = {_key(item) for item in pair["objects"]}
        called = iter([names.get(_key(item), item["label"]) for item in objects if _key(item) in of_pair])
        nodes = [
            {**node, "name": next(called, node["name"])} if node["kind"] == NODE_TYPES[OBJECT] else node
            for node in graph["nodes"]
        ]
        named["hypergraph"] = {**graph, "nodes": nodes}
    return named
