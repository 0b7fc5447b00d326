"""Templates, style sheets and scripts are files of their own, and templates escape whatever they print."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import UndefinedError, nodes

from page.render.environment import ENVIRONMENT, read_styles, render
from vmhan.visualization.environment import TEMPLATES, template_environment

ROOT = Path(__file__).resolve().parents[3]
RENDER = ROOT / "page" / "render"
TAGS = (
    "a|article|aside|b|bdi|blockquote|br|button|circle|code|defs|div|em|figure|footer|form|g|h[1-6]|header|i|iframe|"
    "image|img|input|li|line|link|marker|mask|nav|ol|option|p|path|pre|rect|script|section|select|span|strong|style|sup|svg|"
    "table|tbody|td|textarea|th|thead|title|tr|tspan|ul|wbr"
)
MARKUP = re.compile(rf"</?({TAGS})(\s|/?>|$)", re.IGNORECASE)


def template_sources() -> dict[str, str]:
    return {name: ENVIRONMENT.loader.get_source(ENVIRONMENT, name)[0] for name in ENVIRONMENT.list_templates()}


def python_files() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "page").rglob("*.py")), *sorted((ROOT / "vmhan").rglob("*.py"))]


def test_there_is_a_template_of_every_drawing():
    assert {"answer.html", "figure.svg", "hypergraph.svg", "image.svg", "relation_graph.svg"} <= set(
        template_sources()
    )


@pytest.mark.parametrize("environment", [ENVIRONMENT, template_environment(TEMPLATES)])
def test_every_template_is_escaped_and_lacks_nothing(environment):
    assert environment.autoescape is True
    evil = environment.from_string("{{ text }}").render(text="<b>\"'")
    assert "<" not in evil and '"' not in evil and "'" not in evil
    with pytest.raises(UndefinedError):
        environment.from_string("{{ missing }}").render()


@pytest.mark.parametrize("name", ENVIRONMENT.list_templates())
def test_no_template_turns_escaping_off(name):
    tree = ENVIRONMENT.parse(template_sources()[name])
    assert not [*tree.find_all((nodes.EvalContextModifier, nodes.MarkSafe, nodes.MarkSafeIfAutoescape))]
    assert not {node.name for node in tree.find_all(nodes.Filter)} & {"safe", "xmlattr", "urlize"}


@pytest.mark.parametrize("name", ENVIRONMENT.list_templates())
def test_every_template_names_what_it_takes(name):
    assert template_sources()[name].startswith("{# ")


def text_constants(tree: ast.Module) -> Iterator[ast.Constant]:
    """Returns the strings of a file, those of f-strings included and docstrings left out."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def test_no_python_string_holds_markup_and_no_code_calls_text_markup():
    found = []
    for path in python_files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = path.relative_to(ROOT)
        texts = [node for node in text_constants(tree) if MARKUP.search(node.value)]
        found += [f"{name}:{node.lineno}: {node.value[:60]!r}" for node in texts]
        found += [f"{name}: Markup" for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "Markup"]
    assert not found, "markup belongs into a template"


def test_the_scan_finds_markup():
    for text in ('f"<div class={x}>"', "'</svg>'", '"<svg "', "'<wbr>'"):
        assert any(MARKUP.search(node.value) for node in text_constants(ast.parse(f"shown = {text}"))), text
    assert not MARKUP.search("a < b, <s>, <unk> and <head>")


def test_every_style_sheet_is_served():
    sheets = [path.read_text(encoding="utf-8") for path in (RENDER / "css").glob("*.css")]
    assert len(sheets) > 5 and all(sheet in read_styles() for sheet in sheets)
    assert read_styles().count("{") == read_styles().count("}")


@pytest.mark.parametrize("path", sorted((RENDER / "js").glob("*.js")), ids=lambda path: path.name)
def test_every_script_is_well_formed(path):
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    subprocess.run(["node", "--check", path], check=True)


def test_simple_templates_need_no_layout():
    assert "Finding the relations" in render("waiting.html") and "Who is what to whom?" in render("introduction.html")
