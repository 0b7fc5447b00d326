"""The hypergraph of a pair as an SVG: what the model joined, and the attention on each member.

Every hyperedge is a dot in its own color, with a stroke to each of its members whose width is in proportion to the
attention of the hyperedge on it (equation 5). Entities and phrases of the text stand on the left, the image and its
objects on the right. Pointing at a node, a hyperedge or a stroke dims whatever has nothing to do with it, and so does
reaching a node or a hyperedge with the keyboard. Nothing is fetched, and no script runs.

`hypergraph_layout` computes the positions, `templates/hypergraph.svg` renders them.
"""

from collections.abc import Sequence

from vmhan.visualization.environment import TEMPLATES, template_environment
from vmhan.visualization.hypergraph_drawing import GraphNode, Hyperedge
from vmhan.visualization.hypergraph_layout import hypergraph_layout

_ENVIRONMENT = template_environment(TEMPLATES)


def hypergraph_svg(nodes: Sequence[GraphNode], hyperedges: Sequence[Hyperedge]) -> str:
    """Draws nodes and hyperedges; an SVG of its own, that scales to where it is put.

    Raises:
        ValueError: A hyperedge has a member that is no node, or a type of its own.
    """
    return _ENVIRONMENT.get_template("hypergraph.svg").render(drawing=hypergraph_layout(nodes, hyperedges))


__all__ = ["hypergraph_svg"]
