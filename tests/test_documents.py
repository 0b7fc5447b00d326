"""README, documentation and cards: their tables, code, links, files and commands are what the repository holds."""

import contextlib
import io
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import torch
import yaml
from command_parser import command_parser
from tiny import tiny_text_config, tiny_tokenizer, tiny_torchvision_vgg
from transformers import BertModel

from train.report.write import DOCUMENTS, RESULTS, build_tables, fill
from vmhan.evaluation.overlap import in_words
from vmhan.processor_check import check_processor
from vmhan.request_limits import DEFAULT_LIMITS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DETECTOR_CARD = ROOT / "vmhan" / "weights" / "detector" / "README.md"  # its tables: `train.detector.card`
TEXTS = {path: path.read_text(encoding="utf-8") for path in (*DOCUMENTS, DETECTOR_CARD)}
README, MODEL_CARD = ROOT / "README.md", ROOT / "vmhan" / "weights" / "vmhan-mini-mnre" / "README.md"

#: A Python block, with what may stand before it and below it.
BLOCK = re.compile(
    r"(?P<mark><!-- not run: [^\n]+ -->\n\n)?```python\n(?P<code>.*?)```(\s*```text\n(?P<printed>.*?)```)?", re.DOTALL
)
CODE = re.compile(r"```(?:bash|text|json|bibtex|python)\n.*?```|`[^`\n]+`", re.DOTALL)
IMAGE_FILE = re.compile(r'"([^"\n]+\.(?:jpe?g|png|webp))"', re.IGNORECASE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
TABLE = re.compile(r"^<!-- table: (.*?) -->$.*?^<!-- end -->$", re.DOTALL | re.MULTILINE)
MARK = re.compile(r"^<!-- (?:table: .*?|end) -->$", re.MULTILINE)
REPOSITORY_PATH = re.compile(r"(?<![\w/.-])(?:app\.py|(?:vmhan|train|hub|page|tests|docs|assets)/[\w./*<>-]*)")
LAUNCHERS = re.compile(
    r"python -m (?P<module>[\w.]+)|python (?P<app>app)\.py|"
    r"(?:accelerate launch|torchrun)[^\n`]*? (?P<script>train/[\w/]+)\.py|(?<![\w/])(?P<alone>train/run)\.py(?= --)"
)
#: Modules that the repository does not hold.
FOREIGN = ("pip", "http.server")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


every_text = pytest.mark.parametrize("path", TEXTS, ids=name_of)
every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)


# Tables


@pytest.fixture(scope="module")
def tables() -> dict[str, str]:
    return build_tables()


def test_every_table_is_what_the_report_builds(tables):
    for path in DOCUMENTS:
        text = TEXTS[path]
        assert set(TABLE.findall(text)) <= tables.keys(), f"{name_of(path)}: an unknown table"
        assert len(MARK.findall(text)) == 2 * len(TABLE.findall(text)), f"{name_of(path)}: a mark without its pair"
        assert fill(text, tables) == text, f"{name_of(path)}: run `python -m train.report --write`"


@every_document
def test_no_table_outside_the_marks_holds_scores(path):
    rest = TABLE.sub("", TEXTS[path])
    assert not re.search(r"^\|.*(?<![\d.])\d+\.\d(?![\d.])", rest, flags=re.MULTILINE)


def test_every_folder_of_results_has_its_table_in_a_document():
    shown = {name for path in DOCUMENTS for name in TABLE.findall(TEXTS[path])}
    folders = {path.parent.name for path in RESULTS.glob("*/*.json")}
    assert folders and folders <= shown, "put `<!-- table: name --><!-- end -->` into a document"


@pytest.mark.parametrize("path", [MODEL_CARD, DOCS / "results" / "mnre.md"], ids=name_of)
def test_documents_report_how_much_of_test_is_in_train(path):
    overlap = json.loads((RESULTS / "overlap-mnre.json").read_text(encoding="utf-8"))
    assert in_words(overlap["overlaps"]) in TEXTS[path]


# Code


def blocks(text: str) -> list[re.Match]:
    """Finds the Python blocks of a document."""
    found = list(BLOCK.finditer(text))
    assert len(found) == text.count("```python\n")
    assert sum(bool(block["mark"]) for block in found) == text.count("<!-- not run: ")
    return found


WITH_CODE = [path for path in DOCUMENTS if any(not block["mark"] for block in blocks(TEXTS[path]))]


@pytest.mark.parametrize("path", WITH_CODE, ids=name_of)
def test_blocks_run_one_after_the_other_and_print_the_text_below(path, monkeypatch, tmp_path, bundled_detector):
    in_repository = "vmhan/weights" in "".join(block["code"] for block in blocks(TEXTS[path]))
    monkeypatch.chdir(ROOT if in_repository else tmp_path)  # the bundled model loads from any folder
    names = {}
    for block in blocks(TEXTS[path]):
        if not block["mark"]:
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(block["code"], path.name, "exec"), names)
            assert output.getvalue() == (block["printed"] or "")


def test_blocks_run_in_readme_and_documentation():
    assert README in WITH_CODE and DOCS / "usage.md" in WITH_CODE


@every_text
def test_blocks_are_python_and_name_existing_images(path):
    for block in blocks(TEXTS[path]):
        compile(block["code"], path.name, "exec")
        named = [name for name in IMAGE_FILE.findall(block["code"]) if not name.startswith("path/to/")]
        assert all(f'get_sample_data("{name}"' in block["code"] or (ROOT / name).is_file() for name in named), named


def test_own_training_loop_runs(tmp_path):
    """With tiny encoders in place of those of the Hub."""
    (code,) = (block["code"] for block in blocks(TEXTS[DOCS / "usage.md"]) if "from_text_pretrained" in block["code"])
    torch.manual_seed(0)
    BertModel(tiny_text_config()).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    torch.save(tiny_torchvision_vgg().state_dict(), tmp_path / "vgg.pth")
    code = code.replace('"bert-base-uncased"', repr(str(tmp_path))).replace('"vgg16"', repr(str(tmp_path / "vgg.pth")))
    assert 'entity_markers="shared"' in code and ".backward()" in code
    names = {}
    exec(compile(code, "usage.md", "exec"), names)
    check_processor(names["processor"], names["model"])


# Links, files, names


def anchors(text: str) -> set[str]:
    """Computes the anchors of a document's headings, as GitHub and MkDocs do."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def links(path: Path) -> list[str]:
    found = LINK.findall(CODE.sub("", TEXTS[path]))
    return [link for link in found if not link.startswith(("http://", "https://"))]


@every_text
def test_links_lead_to_files_and_headings(path):
    for link in links(path):
        file, _, anchor = link.partition("#")
        if workflow := re.fullmatch(r"\.\./\.\./actions/workflows/(.+?\.yml)(/badge\.svg)?", file):
            assert (ROOT / ".github" / "workflows" / workflow[1]).is_file(), link
            continue
        target = (path.parent / file).resolve() if file else path
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


@every_text
def test_files_named_in_code_exist(path):
    for name in REPOSITORY_PATH.findall(" ".join(CODE.findall(TEXTS[path]))):
        if "<" not in name:
            pattern = name.rstrip("./")
            assert (ROOT / pattern).exists() or any(ROOT.glob(pattern)), name


def test_architecture_names_classes_in_their_files():
    rows = re.findall(r"^\|[^|]+\| `(\w+)` \| `([\w/]+\.py)` \|$", TEXTS[DOCS / "architecture.md"], flags=re.MULTILINE)
    assert len(rows) > 10
    for name, file in rows:
        defined = rf"^(?:class |def )?{name}\b(?:\(|:| =)"
        assert re.search(defined, (ROOT / file).read_text(encoding="utf-8"), flags=re.MULTILINE), (name, file)


def test_api_pages_name_modules_and_the_navigation_every_page():
    modules = re.findall(r"^::: ([\w.]+)$", "".join(TEXTS[path] for path in (DOCS / "api").glob("*.md")), re.MULTILINE)
    assert len(modules) > 20 and len(modules) == len(set(modules))
    assert [name for name in modules if not (ROOT / (name.replace(".", "/") + ".py")).is_file()] == []
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    listed = re.findall(r"[\w/-]+\.md", json.dumps(navigation))
    assert sorted(listed) == sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


# Commands


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Finds the commands in the code of a document: the module, and the words behind it."""
    code = "\n".join(found.strip("`") for found in CODE.findall(text) if not found.startswith("```python"))
    found = []
    for line in re.sub(r"\\\n", " ", code).splitlines():
        for command in re.split(r" && |; |  # |  #$", line):
            if match := LAUNCHERS.search(command):
                module = next(filter(None, match.groups())).replace("/", ".")
                found.append((module, shlex.split(re.sub(r"\s#.*", "", command[match.end() :]))))
    return found


def options(module: str) -> set[str]:
    """Returns the options of a command; those that train several times take the settings of one training too."""
    further = ["train.run"] if module in ("train.compare", "train.search") else []
    return {option for name in [module, *further] for option in command_parser(name)._option_string_actions}


@every_text
def test_commands_have_the_options_that_documents_name(path):
    for module, words in commands(TEXTS[path]):
        if module.startswith(FOREIGN):
            continue
        named = {word.split("=")[0] for word in words if word.startswith("--")}
        assert named <= options(module), f"{module} has no {sorted(named - options(module))}"


def test_extras_in_documents_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r'pip install -e "\.\[([\w,]+)\]"', "".join(TEXTS.values()))
    assert {extra for extras in named for extra in extras.split(",")} <= project["optional-dependencies"].keys()


def test_commands_are_found():
    found = dict(commands(TEXTS[README]))
    assert {"app", "train.run", "hub.push", "hub.space", "hub.dataset"} <= found.keys()
    assert "--seed" in {word for _, words in commands(TEXTS[README]) for word in words}


@pytest.mark.parametrize(
    ("path", "module"), [("demo.md", "app"), ("training.md", "train.run"), ("hub.md", "hub.push"), ("hub.md", None)]
)
def test_options_in_tables_and_text_exist(path, module):
    """Options without their command: those of the page that is about it."""
    modules = [module] if module else ["hub.push", "hub.space", "hub.dataset", "train.run"]
    known = set().union(*map(options, modules))
    cells = re.findall(r"^\| (`--.*?) \|", TEXTS[DOCS / path], flags=re.MULTILINE)
    named = {option for cell in cells for option in re.findall(r"--[\w-]+", cell)}
    if module is None:
        named = set(re.findall(r"`(--[\w-]+)", TEXTS[DOCS / path]))
    assert named <= known, named - known


# The README


def test_readme_is_short_and_shows_an_answer_on_the_first_screen():
    lines = TEXTS[README].splitlines()
    assert len(lines) < 170 and lines[2].endswith(".")
    assert next(index for index, line in enumerate(lines, 1) if "/per/per/peer (0.87)" in line) <= 40
    assert TEXTS[README].count("](https://img.shields.io/") + TEXTS[README].count("badge.svg)") <= 4


def test_readme_holds_the_two_commands():
    assert 'pip install -e ".[demo]" && python app.py' in TEXTS[README]
    assert 'pip install -e ".[test]" && pytest' in TEXTS[README]


# Facts


@pytest.mark.parametrize("path", [README, MODEL_CARD, DOCS / "limits.md", DOCS / "architecture.md"], ids=name_of)
def test_documents_name_what_the_classifier_has_beside_equation_9(path):
    config = json.loads((MODEL_CARD.parent / "config.json").read_text(encoding="utf-8"))
    assert config["pair_features"] == "interaction" and config["direction_classifier"]
    text = " ".join(TEXTS[path].split())
    assert "has interaction features and a direction classifier beside equation 9" in text


def test_limits_in_the_documentation_are_those_of_the_package():
    most = DEFAULT_LIMITS
    limits = f"{most.max_text_length:,}\\s+characters, {most.max_entities} entities and {most.max_pairs} pairs"
    assert re.search(limits, TEXTS[DOCS / "usage.md"])
