"""The README says what is so."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from train.report import DOCUMENTS, fill, make_tables

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_first_python_block_prints_what_stands_below_it(monkeypatch):
    monkeypatch.chdir(ROOT)
    code, printed = re.search(r"```python\n(.*?)```\s*```text\n(.*?)```", README, re.DOTALL).groups()
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "README.md", "exec"), {})
    assert output.getvalue() == printed


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_equal_the_result_files(path):
    text = path.read_text(encoding="utf-8")
    assert fill(text, make_tables()) == text, "run `python -m train.report --write`"


def test_two_commands_are_there():
    assert "pip install -e . && python app.py" in README
    assert 'pip install -e ".[test]" && pytest' in README
