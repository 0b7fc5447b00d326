"""The README says what is so."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest
import torch
from tiny import tiny_text_config, tiny_tokenizer, tiny_torchvision_vgg
from transformers import BertModel

from train.report.write import DOCUMENTS, fill, make_tables
from vmhan.processor_check import check_processor
from vmhan.request_limits import DEFAULT_LIMITS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARDS = tuple(ROOT / "vmhan" / "weights" / name / "README.md" for name in ("vmhan-mini-mnre", "detector"))
#: What may stand before a block and below it.
BLOCK = re.compile(
    r"(?P<mark><!-- not run: [^\n]+ -->\n\n)?```python\n(?P<code>.*?)```(\s*```text\n(?P<printed>.*?)```)?", re.DOTALL
)
IMAGE_FILE = re.compile(r'"([^"\n]+\.(?:jpe?g|png|webp))"', re.IGNORECASE)


def blocks(text: str) -> list[re.Match]:
    """The Python blocks of a document."""
    found = list(BLOCK.finditer(text))
    assert len(found) == text.count("```python\n")
    return found


def test_python_blocks_run_one_after_the_other_and_print_what_stands_below(monkeypatch, bundled_detector):
    monkeypatch.chdir(ROOT)
    names, ran = {}, 0
    for block in blocks(README):
        if block["mark"]:
            continue
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(block["code"], "README.md", "exec"), names)
        assert output.getvalue() == (block["printed"] or "")
        ran += 1
    assert ran >= 2 and README.count("not run: ") == sum(bool(block["mark"]) for block in blocks(README))


@pytest.mark.parametrize("path", (ROOT / "README.md", *CARDS), ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_are_python_and_name_no_file_that_is_not_there(path):
    for block in blocks(path.read_text(encoding="utf-8")):
        compile(block["code"], path.name, "exec")
        named = [name for name in IMAGE_FILE.findall(block["code"]) if not name.startswith("path/to/")]
        given = [name for name in named if f'get_sample_data("{name}"' not in block["code"]]
        assert all((ROOT / name).is_file() for name in given), given


def test_own_loop_runs(tmp_path):
    """With tiny encoders in the place of those that would be fetched."""
    (code,) = (
        block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "from_text_pretrained" in block
    )
    torch.manual_seed(0)
    BertModel(tiny_text_config()).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    torch.save(tiny_torchvision_vgg().state_dict(), tmp_path / "vgg.pth")
    code = code.replace('"bert-base-uncased"', repr(str(tmp_path))).replace('"vgg16"', repr(str(tmp_path / "vgg.pth")))
    assert 'entity_markers="shared"' in code and ".backward()" in code
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    check_processor(names["processor"], names["model"])


def test_limits_that_it_names_are_those_of_the_package():
    most = DEFAULT_LIMITS
    said = f"{most.max_text_length:,}\\s+characters, {most.max_entities} entities and {most.max_pairs} pairs"
    assert re.search(said, README)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_equal_the_result_files(path):
    text = path.read_text(encoding="utf-8")
    assert fill(text, make_tables()) == text, "run `python -m train.report --write`"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_say_how_much_of_test_stands_in_train(path):
    result = json.loads((ROOT / "assets/results/overlap-mnre.json").read_text(encoding="utf-8"))
    assert result["in_words"] in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_say_what_the_classifier_has_beside_equation_9(path):
    config = json.loads((ROOT / "vmhan/weights/vmhan-mini-mnre/config.json").read_text(encoding="utf-8"))
    words = " ".join(path.read_text(encoding="utf-8").split())
    assert config["pair_features"] == "interaction" and config["direction_classifier"]
    assert "has interaction features and a direction classifier beside equation 9" in words


def test_two_commands_are_there():
    assert "pip install -e . && python app.py" in README
    assert 'pip install -e ".[test]" && pytest' in README
