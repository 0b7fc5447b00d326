"""The README says what is so."""

import contextlib
import io
import re
from pathlib import Path

import pytest
import torch
from tiny import tiny_text_config, tiny_tokenizer, tiny_torchvision_vgg
from transformers import BertModel

from train.report import DOCUMENTS, fill, make_tables
from vmhan.processor_check import check_processor
from vmhan.request_limits import DEFAULT_LIMITS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_first_python_block_prints_what_stands_below_it(monkeypatch):
    monkeypatch.chdir(ROOT)
    code, printed = re.search(r"```python\n(.*?)```\s*```text\n(.*?)```", README, re.DOTALL).groups()
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "README.md", "exec"), {})
    assert output.getvalue() == printed


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


def test_two_commands_are_there():
    assert "pip install -e . && python app.py" in README
    assert 'pip install -e ".[test]" && pytest' in README
