"""The page's templates, style sheets and scripts.

Templates escape whatever they print. They get layouts, dataclasses of numbers and texts, and render each other's parts
by `include`, so no Python code puts markup together.
"""

from pathlib import Path

from vmhan.visualization.environment import TEMPLATES, template_environment

_FOLDER = Path(__file__).parent
#: In the order of the cascade: what comes later overrides what came before.
_STYLE_SHEETS = (
    "page",
    "cards",
    "words",
    "answer",
    "pair_table",
    "relation_graph",
    "details",
    "comparison",
    "screens",
)

ENVIRONMENT = template_environment(_FOLDER / "templates", TEMPLATES)


def render(template: str, **layouts) -> str:
    """Renders a template of `templates/`, or of vmhan's drawings, with the layouts that it names in its first line."""
    return ENVIRONMENT.get_template(template).render(**layouts)


def read_script(name: str) -> str:
    """Reads a script of `js/`, which Gradio runs as the body of a function when its component is loaded."""
    return (_FOLDER / "js" / f"{name}.js").read_text(encoding="utf-8")


def read_styles() -> str:
    """Reads the style sheets of `css/` as one."""
    return "\n".join((_FOLDER / "css" / f"{name}.css").read_text(encoding="utf-8") for name in _STYLE_SHEETS)
