"""What the numbers of a pair say, in sentences."""

import math

from page.labels import WHOLE_IMAGE, relative_entropy
from vmhan.visualization.hypergraph_layout import nearly_even


def attention_note(pair: dict) -> str:
    """Explains the attention on the visual nodes of a pair, which says nothing where it is nearly uniform."""
    note = "Of the attention that the two entities gave to the image, the share of each node."
    if len(pair["objects"]) == 1:
        return f"{note} There is but one, so it has all, whatever it shows."
    among = even_nodes(pair)
    return f"{note} On {among} it is nearly uniform: it says nothing about which of them mattered." if among else note


def even_nodes(pair: dict) -> str:
    """Names the visual nodes of a pair that attention does not tell apart; empty if it tells all of them apart."""
    if nearly_even([node["attention"] for node in pair["objects"]]):
        return "these"
    of_objects = [node["attention"] for node in pair["objects"] if node["label"] != WHOLE_IMAGE]
    return "the objects" if nearly_even(of_objects) else ""


def no_nodes_note(answer: dict) -> str:
    """Explains why the image had no say in a pair."""
    if answer["objects"]:
        return "This model passes nothing from the image to the entities, so it went by the sentence alone."
    if answer["description"]:
        return "The model found no object in the description, so it went by the sentence alone."
    if answer["image"]:
        return (
            "The image came without a description, and nothing was found in it, so the model went by the sentence "
            "alone. Say above what the image shows, and ask again."
        )
    return "No image and no description were given, so the model went by the sentence alone."


def hyperedge_note(pair: dict) -> str:
    """Explains the line widths of a pair's hypergraph."""
    shares = [edge["attention"] for edge in pair["hypergraph"]["hyperedges"]]
    if not any(map(sum, shares)):
        return "The hyperedges that the two entities read last attend to none of their nodes."
    note = (
        "Line width: attention of each hyperedge on each of its nodes, in the last layer that the two entities read."
    )
    if all(len(of_edge) == 1 or nearly_even(of_edge) for of_edge in shares):
        note += " It is nearly uniform in all of them: it says nothing about which node mattered."
    return note


def entropy_note(pair: dict) -> str:
    """States the entropy of the scores of a pair, with the scale that makes the number readable."""
    maximum, share = math.log(len(pair["scores"])), relative_entropy(pair)
    return f"Entropy of the scores {pair['entropy']:.2f} nats, {share:.0%} of the maximum ({maximum:.2f})."


def variance_note(pair: dict) -> str:
    """States the variance of a pair, which is no measure of certainty (assets/results/uncertainty-mnre.json)."""
    if pair["variance"] <= 0:
        return "This model keeps no variance."
    return (
        f"Mean variance of both entities {pair['variance']:.2f}. It has not been found to tell right answers from "
        "wrong ones: for that, see the scores and their entropy."
    )
