"""Files appear whole or not at all, and their checksums are of their content."""

import os

import pytest

from vmhan.data.files import atomic_write, file_checksum


def test_a_file_that_breaks_while_it_is_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(KeyError), atomic_write(path) as partial:
        partial.write_text("new")
        raise KeyError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["file"]
    with atomic_write(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["file"]


def test_the_checksum_of_a_file_is_of_its_content(tmp_path):
    for name, content in (("a", b"x"), ("b", b"x"), ("c", b"y")):
        (tmp_path / name).write_bytes(content)
    assert file_checksum(tmp_path / "a") == file_checksum(tmp_path / "b") != file_checksum(tmp_path / "c")
