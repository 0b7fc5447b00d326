"""A pushed model loads in a process that has never seen this repository, and gives the same numbers."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from chat_fixture import ChatServer
from local_hub import LocalHub
from PIL import Image
from tiny import save_tiny_checkpoint, tiny_image_processor, tiny_model, tiny_processor, tiny_vgg_config
from tiny_detectors import save_tiny_blip, save_tiny_bundled, save_tiny_rt_detr
from transformers import pipeline

from hub.contents import model_contents, write_contents
from hub.push import main as push_command
from vmhan import VMHANForRelationExtraction, VMHANProcessor
from vmhan.detectors.loading import load_detector

pytestmark = pytest.mark.slow  # starts processes that import torch

NAME = "ada/vmhan-tiny"
REQUEST = {"text": "Ada met Bob in Paris", "entities": ["Ada", "Bob", "Paris"], "description": "A man on a bridge."}
CALL = {"text": ["Ada met Bob"], "mentions": [[[0, 3], [8, 11]]], "pairs": [[[0, 1]]]}


def load(name, request, call, **trust) -> dict:
    """What a client finds under `name`; runs here, and as source text in a process that has no package `vmhan`."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoProcessor, pipeline

    processor, config = AutoProcessor.from_pretrained(name, **trust), AutoConfig.from_pretrained(name, **trust)

    def logits(**settings):
        model = AutoModelForSequenceClassification.from_pretrained(name, **trust, **settings).eval()
        with torch.no_grad():
            return model, model(**processor(**call)).logits.float().tolist()

    (model, plain), (half, in_half) = logits(), logits(dtype=torch.bfloat16)
    eager, in_eager = logits(attn_implementation="eager")
    with torch.no_grad():
        nodes = AutoModel.from_pretrained(name, **trust).eval()(**processor(**call)).last_node_mean.tolist()
    return {
        "classes": [type(loaded).__name__ for loaded in (config, processor, model)],
        "module": type(model).__module__.split(".")[0],
        "answer": pipeline(model=name, **trust)(request),
        "by_task": pipeline("multimodal-relation-extraction", model=name, **trust)(request),
        "logits": plain,
        "bf16": in_half,
        "dtype": str(half.dtype),
        "device_map": logits(device_map="cpu")[1],
        "eager": in_eager,
        "attention": eager.config.text_config._attn_implementation,
        "nodes": nodes,
    }


# Neither the package nor its optional dependency can be imported here.
WITHOUT_PACKAGE = """
import sys
sys.modules["vmhan"] = sys.modules["ultralytics"] = None
"""
CLEAN = f"""
import json, sys
from transformers import pipeline
{inspect.getsource(load)}
asked = json.loads(sys.argv[1])
trust = {{"trust_remote_code": True}}
print(json.dumps({{
    **{{kind: load(name, *asked["load"], **trust) for kind, name in asked["names"].items()}},
    **{{kind: pipeline(model=name, **trust)(request) for kind, (name, request) in asked["requests"].items()}},
}}))
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Folder, answer, logits and node states of the model here."""
    settings = {"visual_features": ["text", "box"], "entity_markers": "shared", "entity_pool": "mean_marker"}
    folder = Path(save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), **settings))
    model = VMHANForRelationExtraction.from_pretrained(folder).eval()
    batch = VMHANProcessor.from_pretrained(folder)(**CALL)
    with torch.no_grad():
        numbers = {"logits": model(**batch).logits.tolist(), "nodes": model.vmhan(**batch).last_node_mean.tolist()}
    return {
        "folder": folder,
        "answer": pipeline("multimodal-relation-extraction", model=str(folder))(REQUEST),
        **numbers,
    }


@pytest.fixture(scope="module")
def detector(tmp_path_factory) -> str:
    return save_tiny_bundled(tmp_path_factory.mktemp("detector"))


@pytest.fixture(scope="module")
def hub(local, detector, tmp_path_factory):
    """A Hub that holds the model in shards, privately, and a detector beside it."""
    home = tmp_path_factory.mktemp("pusher")
    model = VMHANForRelationExtraction.from_pretrained(local["folder"])
    sharded = home / "sharded"
    model.save_pretrained(sharded, max_shard_size="20KB")
    VMHANProcessor.from_pretrained(local["folder"]).save_pretrained(sharded)
    with LocalHub() as hub, pytest.MonkeyPatch.context() as patch:
        hub.enter(patch, home)
        patch.setattr("hub.contents.DETECTOR", Path(detector))
        push_command([str(sharded), NAME, "--private"])
        yield hub


@pytest.fixture(scope="module")
def red(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("images") / "red.png"
    Image.new("RGB", (60, 40), "red").save(path)
    return str(path)


@pytest.fixture(scope="module")
def pixels(tmp_path_factory) -> tuple[str, dict]:
    """A model with a vision encoder of our own, which no registry of `transformers` knows, and a request."""
    folder, image = tmp_path_factory.mktemp("pixels"), tmp_path_factory.mktemp("images") / "gradient.png"
    tiny_model(visual_features=["pixels"], vision_config=tiny_vgg_config()).save_pretrained(folder)
    tiny_processor(image_processor=tiny_image_processor()).save_pretrained(folder)
    Image.linear_gradient("L").convert("RGB").save(image)
    return str(folder), {**REQUEST, "image": str(image), "objects": ["bridge"]}


@pytest.fixture(scope="module")
def clean(hub, local, red, pixels, tmp_path_factory) -> dict:
    """What a process finds that has neither the package nor this repository."""
    home = tmp_path_factory.mktemp("client")
    for kind, folder in (("exported", local["folder"]), ("pixels", pixels[0])):
        write_contents(model_contents(Path(folder)), home / kind)
    asked = {
        "load": [REQUEST, CALL],
        "names": {"hub": NAME, "folder": str(home / "exported")},
        "requests": {
            "detected": (NAME, {"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": red}),
            "pixels": (str(home / "pixels"), pixels[1]),
        },
    }
    return run(hub, home, WITHOUT_PACKAGE, CLEAN, json.dumps(asked))


def run(hub, home: Path, head: str, code: str, asked: str) -> dict:
    """Runs `head` and `code` in a process of their own; returns what it prints last, JSON."""
    environment = hub.environment(home)
    if head == WITHOUT_PACKAGE:
        del environment["PYTHONPATH"]
    command = [sys.executable, "-c", head + code, asked]
    finished = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


def assert_same(found: dict, local: dict, module: str) -> None:
    assert found["classes"] == ["VMHANConfig", "VMHANProcessor", "VMHANForRelationExtraction"]
    assert found["module"] == module
    for name in ("logits", "nodes"):
        torch.testing.assert_close(torch.tensor(found[name]), torch.tensor(local[name]))
    for kind in ("device_map", "eager"):
        torch.testing.assert_close(torch.tensor(found[kind]), torch.tensor(local["logits"]), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.tensor(found["bf16"]), torch.tensor(local["logits"]), atol=0.1, rtol=0.1)
    assert found["by_task"] == found["answer"]
    assert found["dtype"] == "torch.bfloat16" and found["attention"] == "eager"
    for ours, theirs in zip(found["answer"]["pairs"], local["answer"]["pairs"], strict=True):
        assert ours["relation"] == theirs["relation"] and ours["scores"] == pytest.approx(theirs["scores"], abs=1e-5)
        assert [node["label"] for node in ours["objects"]] == [node["label"] for node in theirs["objects"]]


@pytest.mark.parametrize("kind", ["hub", "folder"])
def test_clean_process_loads_it_from_the_hub_and_from_a_folder(clean, local, kind):
    assert_same(clean[kind], local, "transformers_modules")


def test_clean_process_finds_objects_with_the_detector_beside_the_model(clean, detector, red):
    objects = clean["detected"]["objects"]
    found = load_detector(detector).detect([Image.open(red)])[0][: len(objects)]
    assert objects and [item["label"] for item in objects] == [item.label for item in found]
    assert [item["score"] for item in objects] == pytest.approx([item.score for item in found], abs=1e-4)


def test_clean_process_encodes_pixels(clean, pixels):
    folder, request = pixels
    local = pipeline("multimodal-relation-extraction", model=folder)(request)
    for ours, theirs in zip(clean["pixels"]["pairs"], local["pairs"], strict=True):
        assert ours["scores"] == pytest.approx(theirs["scores"], abs=1e-5)
        assert ours["objects"][0]["label"] == "image"


def test_package_loads_it_from_the_hub_without_remote_code(hub, local):
    assert_same(load(NAME, REQUEST, CALL), local, "vmhan")


# The code of a model beside the installed package: a class of the one is none of the other

TOOLS = """
import json, sys
from transformers import pipeline
name, request, tools = json.loads(sys.argv[1])
extract = pipeline("multimodal-relation-extraction", model=name, trust_remote_code=True)
found = {"module": type(extract).__module__.split(".")[0]}
found |= {tool: extract(request, **{tool: value}) for tool, value in tools.items()}
try:
    extract(request, detector="nobody/nothing")
except OSError as error:
    found["unavailable"] = str(error)
found["fallback"] = extract(request, detector="nobody/nothing", fallback_to_bundled=True)
found["default"] = extract(request)
import vmhan
cache = vmhan.ImageCache()
found["cached"] = [extract(request, cache=cache)["objects"] for _ in range(2)]
found["limited"] = extract(request, limits=vmhan.RequestLimits(max_entities=2), on_error="return")["error"]
print(json.dumps(found))
"""
WITHOUT_TOOLS = """
import json, sys
from transformers import pipeline
name, request, tools = json.loads(sys.argv[1])
extract = pipeline("multimodal-relation-extraction", model=name, trust_remote_code=True)
found = {"fallback": extract(request, detector="nobody/nothing", fallback_to_bundled=True)["objects"]}
found["default"] = extract(request)["objects"]
for tool, value in tools.items():
    try:
        extract(request, **{tool: value})
    except ImportError as error:
        found[tool] = str(error)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def exported(detector, tmp_path_factory) -> str:
    """A folder, as it would be pushed, of a model that was trained with selected nodes."""
    folder, exported = tmp_path_factory.mktemp("selecting"), tmp_path_factory.mktemp("exported")
    tiny_model(visual_features=["text", "box"]).save_pretrained(folder)
    counts = {"num_text_phrases": 1, "num_visual_phrases": 2, "num_objects": 1}
    tiny_processor(node_selection={"selector": "words", **counts}).save_pretrained(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.contents.DETECTOR", Path(detector))
        write_contents(model_contents(folder), exported)
    return str(exported)


@pytest.fixture
def request_and_tools(tmp_path):
    """A request with an image, and a detector, a describer and a selector by name."""
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "image.png")
    request = {**REQUEST, "description": None, "image": str(tmp_path / "image.png")}
    tools = {"detector": save_tiny_rt_detr(tmp_path / "rt_detr"), "describer": save_tiny_blip(tmp_path / "blip")}
    with ChatServer(lambda body: '{"phrases": ["met", "a red kite"], "objects": [0]}') as server:
        yield request, {**tools, "selector": server.url}


def test_code_of_a_model_loads_tools_of_the_installed_package(hub, exported, request_and_tools, tmp_path):
    request, tools = request_and_tools
    copy = run(hub, tmp_path, "", TOOLS, json.dumps([exported, request, tools]))
    assert copy["module"] == "transformers_modules"
    package = pipeline("multimodal-relation-extraction", model=exported)
    for tool, name in tools.items():
        ours, theirs = copy[tool], package(request, **{tool: name})
        assert ours["description"] == theirs["description"]
        assert [item["label"] for item in ours["objects"]] == [item["label"] for item in theirs["objects"]]
        for pair, same in zip(ours["pairs"], theirs["pairs"], strict=True):
            assert pair["scores"] == pytest.approx(same["scores"], abs=1e-5)
    assert "a red kite" in {node["label"] for node in copy["selector"]["pairs"][0]["objects"]}
    assert copy["describer"]["description"] != copy["default"]["description"]
    assert copy["detector"]["objects"] != copy["default"]["objects"] == copy["fallback"]["objects"] != []
    assert copy["cached"] == [copy["default"]["objects"]] * 2
    assert "'nobody/nothing'" in copy["unavailable"] and "up to 2" in copy["limited"]


def test_code_of_a_model_names_the_package_that_its_tools_need(hub, exported, request_and_tools, tmp_path):
    request, tools = request_and_tools
    found = run(hub, tmp_path, WITHOUT_PACKAGE, WITHOUT_TOOLS, json.dumps([exported, request, tools]))
    assert found["fallback"] == found["default"] != []
    for kind, name in tools.items():
        assert f"The {kind} {name!r} needs the package" in found[kind] and "pip install vmhan" in found[kind]
