"""Unavailable models are named in seconds: a Hub that is down or never answers, a cache without rights."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from tiny import save_tiny_checkpoint
from tiny_detectors import save_tiny_bundled
from transformers import pipeline

from vmhan import network
from vmhan.detectors import huggingface
from vmhan.detectors import loading as detectors
from vmhan.detectors.loading import load_detector
from vmhan.network import call_within, hub_settings, is_reachable
from vmhan.object_detection import DetectorUnavailable
from vmhan.pipeline_vmhan import _load_bundled_detector

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 0.2  # seconds, in place of ANSWER_TIMEOUT
LOADING = {
    "describer": "from vmhan.llm.captioning import load_describer as load",
    "detector": "from vmhan.detectors.loading import load_detector as load",
    "chat model": "from vmhan.llm.loading import load_chat_model\nload = lambda name: load_chat_model(name).model",
    "tagger": "from page.tagger import Tagger as load",
    "vision encoder": "from vmhan.vision_encoder import load_vision_model as load",
    "image processor": "from vmhan.vision_encoder import load_image_processor as load",
}
SCRIPT = """
import json, sys, time
from huggingface_hub import constants
from vmhan import network
loading, addresses, network.ANSWER_TIMEOUT = json.loads(sys.argv[1])
def attempt(code):
    names = {}
    exec(code, names)
    start = time.monotonic()
    try:
        names["load"]("nobody/nothing")
    except OSError as error:
        return time.monotonic() - start, str(error)
attempts = {}
for address in addresses:
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix(constants.ENDPOINT)
    constants.ENDPOINT, constants.HUGGINGFACE_CO_URL_TEMPLATE = address, address + template
    attempts[address] = {kind: attempt(code) for kind, code in loading.items()}
print(json.dumps(attempts))
"""


@contextmanager
def silent_server():
    """The address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        taken = []

        def take():
            while True:
                try:
                    taken.append(server.accept())
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(scope="module")
def attempts(tmp_path_factory) -> list[dict]:
    """Seconds and error of loading each kind of model from a Hub that is silent, and from one that is down."""
    with silent_server() as address:
        addresses = [address, "http://127.0.0.1:9"]
        environment = {
            **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(tmp_path_factory.mktemp("cache")),
        }
        arguments = json.dumps([LOADING, addresses, TIMEOUT])
        command = [sys.executable, "-c", SCRIPT, arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    return [found[address] for address in addresses]


@pytest.mark.parametrize("kind", LOADING)
def test_a_model_that_the_hub_does_not_give_is_named_within_seconds(kind, attempts):
    silent, down = (of_hub[kind] for of_hub in attempts)
    assert TIMEOUT <= silent[0] < 5 and down[0] < 5
    assert "nobody/nothing" in silent[1] and "nobody/nothing" in down[1]


def test_a_server_that_never_answers_is_left_within_seconds(monkeypatch):
    assert network.ANSWER_TIMEOUT <= 5
    monkeypatch.setattr(network, "ANSWER_TIMEOUT", TIMEOUT)
    with silent_server() as address:
        start = time.monotonic()
        assert not is_reachable(address)
    assert time.monotonic() - start < 5


def test_a_yolo_that_no_server_gives_is_named_within_seconds(tmp_path, monkeypatch):
    pytest.importorskip("ultralytics.utils.downloads")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(network, "ANSWER_TIMEOUT", TIMEOUT)
    with silent_server() as address:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, address)
        start = time.monotonic()
        with pytest.raises(DetectorUnavailable, match=r"'yolov3u' is not at .* could not be fetched .*do not answer"):
            load_detector("yolov3u")
    assert time.monotonic() - start < 10


def test_a_folder_is_loaded_without_a_request(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "get_hf_file_metadata", lambda *_, **__: pytest.fail("sent"))
    assert hub_settings(str(tmp_path)) == {}


def test_the_cache_is_enough_where_the_hub_is_down(monkeypatch):
    monkeypatch.setattr(network, "hf_hub_url", lambda name, file: f"http://127.0.0.1:9/{name}/{file}")
    assert hub_settings("nobody/nothing") == {"local_files_only": True}


@pytest.mark.parametrize(
    ("status", "settings"),
    [(200, {}), (404, {}), (401, {}), (403, {}), (429, {"local_files_only": True}), (503, {"local_files_only": True})],
)
def test_a_hub_that_answers_is_used_unless_it_is_busy(status, settings, monkeypatch):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *message):
            pass

        def do_HEAD(self):
            self.send_response(status)
            self.end_headers()

    monkeypatch.setattr("huggingface_hub.constants.is_offline_mode", lambda: False)
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setattr(network, "hf_hub_url", lambda name, file: f"{address}/{name}/{file}")
        assert hub_settings("nobody/nothing") == settings
        server.shutdown()


def test_a_call_that_takes_too_long_is_left():
    start, stop = time.monotonic(), threading.Event()
    with pytest.raises(TimeoutError):
        call_within(0.2, stop.wait)
    stop.set()
    assert time.monotonic() - start < 5
    assert call_within(5, lambda: 3) == 3
    with pytest.raises(KeyError):
        call_within(5, lambda: {}["missing"])


# Rights


def refuse_writing(monkeypatch, folder: Path) -> None:
    """As a file system that is read-only below `folder`, for whoever runs the tests as root too."""
    make = os.mkdir

    def mkdir(path, *rest, **named):
        if str(path).startswith(str(folder)):
            raise PermissionError(13, "Permission denied", str(path))
        return make(path, *rest, **named)

    monkeypatch.setattr(os, "mkdir", mkdir)


@pytest.fixture
def bundled(tmp_path, monkeypatch) -> str:
    folder = save_tiny_bundled(tmp_path / "bundled")
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(folder))
    _load_bundled_detector.cache_clear()
    yield folder
    _load_bundled_detector.cache_clear()


def no_folder(monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "file"))


def read_only(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    refuse_writing(monkeypatch, tmp_path / "cache")


def no_rights_to_read(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: (_ for _ in ()).throw(PermissionError("no rights")))


def no_package(monkeypatch, tmp_path):
    def without(part: str):
        raise PermissionError("settings cannot be written")  # what its import does in a home that is read-only

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("vmhan.detectors.yolo._import_ultralytics", without)


@pytest.mark.parametrize("fault", [no_folder, read_only, no_rights_to_read, no_package])
def test_the_pipeline_falls_back_where_a_yolo_cannot_be_stored(fault, bundled, tmp_path, monkeypatch):
    pytest.importorskip("ultralytics")
    model = save_tiny_checkpoint(tmp_path / "model", visual_features=["text", "box"])
    fault(monkeypatch, tmp_path)
    with pytest.raises(DetectorUnavailable, match="yolov3u"):
        load_detector("yolov3u")
    extract = pipeline("multimodal-relation-extraction", model=model, detector="yolov3u", fallback_to_bundled=True)
    detector = extract._forward_params["detector"]
    assert isinstance(detector, detectors.BundledDetector)


@pytest.mark.parametrize("error", [PermissionError("read-only"), ImportError("needs timm"), OSError("disk full")])
def test_the_pipeline_falls_back_where_a_hub_detector_is_unavailable(error, bundled, tmp_path, monkeypatch):
    model = save_tiny_checkpoint(tmp_path / "model", visual_features=["text", "box"])

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(huggingface.AutoModelForObjectDetection, "from_pretrained", fail)
    monkeypatch.setattr(huggingface.AutoImageProcessor, "from_pretrained", lambda *_, **__: None)
    with pytest.raises(DetectorUnavailable, match=f"'some/detector'.*{error}"):
        load_detector("some/detector")
    extract = pipeline(
        "multimodal-relation-extraction", model=model, detector="some/detector", fallback_to_bundled=True
    )
    assert isinstance(extract._forward_params["detector"], detectors.BundledDetector)


def test_has_weights_needs_no_rights(monkeypatch, tmp_path):
    stat = os.stat

    def refuse(path, *rest, **named):
        if str(path).startswith(str(tmp_path)):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, *rest, **named)

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(os, "stat", refuse)
    assert not detectors.has_weights("yolov3u")
    assert not detectors.has_weights(tmp_path / "folder")
