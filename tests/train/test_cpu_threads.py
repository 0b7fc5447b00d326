"""A training on one of many cores says so."""

import pytest
import torch

from train.cpu_threads import warn_of_idle_cores


@pytest.fixture
def machine(monkeypatch):
    """Eight cores without a GPU, of which a training uses `threads`."""

    def make(threads=1, processes=1, gpu=False):
        monkeypatch.setattr("os.cpu_count", lambda: 8)
        monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
        monkeypatch.setenv("WORLD_SIZE", str(processes))

    return make


def test_one_thread_on_many_cores_is_told_how_to_get_more(machine, caplog):
    machine()
    warn_of_idle_cores()
    assert "1 of 8 cores" in caplog.text and "--num_cpu_threads_per_process 8" in caplog.text


@pytest.mark.parametrize("busy", [{"threads": 4}, {"processes": 2}, {"gpu": True}])
def test_training_that_uses_the_machine_hears_nothing(machine, caplog, busy):
    machine(**busy)
    warn_of_idle_cores()
    assert not caplog.text
