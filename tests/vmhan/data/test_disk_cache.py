"""Arrays on disk: computed once, whatever happens in between."""

import logging
import pickle

import numpy as np
import pytest

from vmhan.data.disk_cache import DiskCache, checksum


def fill(folder, *keys, fails_at=None) -> tuple[DiskCache, list[str]]:
    """A cache of arrays that say their key, and the keys that were computed."""
    cache, computed = DiskCache(folder), []

    def compute(items):
        if fails_at in items:
            raise KeyboardInterrupt
        computed.extend(items)
        return [None if item == "none" else array_of(item) for item in items]

    cache.fill({key: key for key in keys}, compute, batch_size=2, desc="arrays")
    return cache, computed


def array_of(key: str) -> np.ndarray:
    return np.full((len(key), 3), ord(key[0]), dtype=np.float16)


def test_an_array_is_computed_once_and_read_back_with_its_type(tmp_path):
    cache, computed = fill(tmp_path, "a", "bb", "ccc")
    assert computed == ["a", "bb", "ccc"] and len(cache) == 3
    again, computed = fill(tmp_path, "ccc", "d", "a")
    assert computed == ["d"]
    for key in ("a", "bb", "ccc", "d"):
        assert again[key].dtype == np.float16 and np.array_equal(again[key], array_of(key))


def test_arrays_without_rows_and_views_are_stored_as_they_are(tmp_path):
    values = {"empty": np.zeros((0, 4), np.float32), "view": np.arange(12.0).reshape(3, 4).T}
    DiskCache(tmp_path).store(values)
    cache = DiskCache(tmp_path)
    assert all(np.array_equal(cache[key], value) and cache[key].shape == value.shape for key, value in values.items())


def test_what_has_no_array_is_tried_again(tmp_path):
    cache, _ = fill(tmp_path, "none", "a")
    assert "none" not in cache and "a" in cache
    assert fill(tmp_path, "none", "a")[1] == ["none"]
    assert fill(tmp_path / "nothing", "none")[1] == ["none"] and not list((tmp_path / "nothing").iterdir())


def test_a_killed_process_goes_on_after_its_last_file(tmp_path, monkeypatch):
    monkeypatch.setattr("vmhan.data.disk_cache.VALUES_IN_A_FILE", 2)
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path, "a", "b", "c", "d", "e", fails_at="e")
    assert fill(tmp_path, "a", "b", "c", "d", "e")[1] == ["e"]


@pytest.mark.parametrize("damage", [b"", b"junk", None], ids=["empty", "junk", "cut off"])
def test_a_damaged_file_is_computed_again_and_no_other(tmp_path, damage, caplog):
    fill(tmp_path, "a", "b")
    (path,) = tmp_path.iterdir()
    fill(tmp_path, "c")
    path.write_bytes(path.read_bytes()[:-3] if damage is None else damage)
    with caplog.at_level(logging.WARNING):
        cache, computed = fill(tmp_path, "a", "b", "c")
    assert computed == ["a", "b"] and "is damaged" in caplog.text and np.array_equal(cache["a"], array_of("a"))
    caplog.clear()
    assert fill(tmp_path, "a", "b", "c")[1] == [] and not caplog.text


def test_processes_side_by_side_keep_each_other_s_arrays(tmp_path):
    one, two = DiskCache(tmp_path), DiskCache(tmp_path)
    for cache, keys in ((one, "ab"), (two, "bc"), (one, "d")):
        cache.store({key: array_of(key) for key in keys})
    assert len(DiskCache(tmp_path)) == 4


def test_a_worker_gets_a_cache_that_reads_the_same(tmp_path):
    cache, _ = fill(tmp_path, "a", "b")
    assert np.array_equal(pickle.loads(pickle.dumps(cache))["b"], cache["b"])


def test_a_checksum_is_of_the_content():
    assert checksum({"a": 1, "b": [2]}) == checksum({"b": [2], "a": 1}) != checksum({"a": 1, "b": ["2"]})
