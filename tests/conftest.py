"""What holds for all tests."""

import os
from pathlib import Path

# Without a network the Hub's client would try again for minutes before it gave up. Tests run side by side, each in one
# thread: threads of torch that fight for the cores make tiny models ten times slower.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import pytest  # noqa: E402


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config) -> None:
    """Runs the whole suite in two processes, each test file in one of them, unless `-n` or `-p no:xdist` is given."""
    if "PYTEST_XDIST_WORKER" in os.environ:  # one of the two: it must start no others
        return
    whole = config.args_source == pytest.Config.ArgsSource.TESTPATHS
    options = config.option
    if whole and getattr(options, "numprocesses", 0) is None and not options.usepdb:
        options.numprocesses, options.dist = 2, "loadfile"


@pytest.fixture(autouse=True)
def no_bundled_detector(monkeypatch):
    """No test rests on what the bundled detector finds unless it says so: that changes with each training."""
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path("no bundled detector"))


@pytest.fixture
def bundled_detector(monkeypatch) -> Path:
    """Lets the bundled detector be the one in `assets/`; returns its folder."""
    from vmhan.pipeline_vmhan import _load_bundled_detector  # here, so that no test waits for it without need

    folder = Path(__file__).resolve().parents[1] / "vmhan" / "weights" / "detector"
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", folder)
    _load_bundled_detector.cache_clear()
    yield folder
    _load_bundled_detector.cache_clear()


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """The page with a tiny model and a tiny detector; it must ask no other machine for anything."""
    from app_fixture import Listener, Served, serve  # here, so that no test waits for them without need
    from tiny import save_tiny_checkpoint
    from tiny_detectors import save_tiny_rt_detr

    model = save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), visual_features=["text", "box"])
    detector = save_tiny_rt_detr(tmp_path_factory.mktemp("detector"))
    folder, uploads = tmp_path_factory.mktemp("elsewhere"), tmp_path_factory.mktemp("gradio")
    feedback = tmp_path_factory.mktemp("feedback") / "feedback.csv"
    listener = Listener()
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), listener.address)
    nearby = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    options = ("--model", model, "--detector", detector, "--feedback", str(feedback))
    environment = {"GRADIO_TEMP_DIR": str(uploads), **proxies, **nearby}
    for address in serve(tmp_path_factory, *options, folder=folder, **environment):
        yield Served(address, folder, uploads, feedback)
    listener.socket.close()
    assert not listener.knocks


@pytest.fixture(scope="session")
def address(served) -> str:
    """Where the page is."""
    return served.address


@pytest.fixture(scope="session")
def feedback(served) -> Path:
    """Where its visitors' verdicts go."""
    return served.feedback
