"""A Space: what is uploaded runs as the Space would run it, and the page answers in a browser."""

import shutil
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from app_fixture import wait_for_page
from local_hub import READER, STRANGER, File, LocalHub, Repository
from tiny import save_tiny_checkpoint

from hub.connection import HubError
from hub.push import main as push_command
from hub.space import main as space_command
from hub.space_contents import data_files, local_sources

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = "vmhan-mini-mnre"
SPACE, MODEL = "ada/relations", "ada/vmhan-tiny"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub that holds a public model, whose files most tests do not read."""
    with LocalHub() as hub:
        hub.enter(monkeypatch, tmp_path)
        hub.repositories["model", MODEL] = Repository("model", MODEL)
        yield hub


def card_of(hub) -> dict:
    return yaml.safe_load(hub.repository(SPACE, "space").files["README.md"].data.decode().split("---")[1])


def test_space_holds_page_package_requirements_and_card(hub):
    space_command([SPACE, "--model", MODEL])
    space = hub.repository(SPACE, "space")
    assert space.sdk == "gradio" and space.variables == {"VMHAN_MODEL": MODEL} and not space.private
    package = {f"vmhan/{path.name}" for path in (ROOT / "vmhan").glob("*.py")}
    assert {"app.py", "requirements.txt", "README.md"} | package <= space.files.keys()
    assert not {
        path for path in space.files if path.startswith(("hub/", "train/", "tests/", "vmhan/weights/vmhan-mini"))
    }
    card = card_of(hub)
    assert card["sdk"] == "gradio" and card["app_file"] == "app.py" and card["python_version"].startswith("3.")
    assert card["models"] == card["preload_from_hub"] == [MODEL] and card["suggested_hardware"] == "cpu-basic"
    required = space.files["requirements.txt"].data.decode()
    assert "transformers" in required and "torch" in required
    assert "gradio" not in required and "ultralytics" not in required


def test_hardware_secrets_and_variables_are_set(hub, monkeypatch):
    monkeypatch.setenv("MY_KEY", "s3cret")
    words = ["--hardware", "zero-a10g", "--secret", "MY_KEY", "--variable", "GREETING=a=b", "--private"]
    space_command([SPACE, "--model", MODEL, *words])
    space = hub.repository(SPACE, "space")
    assert space.hardware == "zero-a10g" and space.secrets == {"MY_KEY": "s3cret"} and space.private
    assert space.variables == {"GREETING": "a=b", "VMHAN_MODEL": MODEL}
    assert card_of(hub)["suggested_hardware"] == "zero-a10g"
    assert not any(b"s3cret" in file.data for file in space.files.values())


def test_second_push_of_the_same_space_sends_nothing(hub, capsys):
    space_command([SPACE, "--model", MODEL])
    space_command([SPACE, "--model", MODEL])
    assert "up to date" in capsys.readouterr().out and len(hub.repository(SPACE, "space").commits) == 2


def test_exported_folder_holds_what_a_push_sends(hub, tmp_path, capsys):
    space_command([SPACE, "--model", MODEL, "--export", str(tmp_path / "out")])
    assert f"start it there with: VMHAN_MODEL={MODEL} python app.py" in capsys.readouterr().out
    assert ("space", SPACE) not in hub.repositories
    space_command([SPACE, "--model", MODEL])
    exported = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in exported} == {
        name: file.data for name, file in hub.repository(SPACE, "space").files.items()
    }


def test_space_that_names_no_model_any_more_serves_the_bundled_one(hub):
    space_command([SPACE, "--model", MODEL, "--variable", "GREETING=hello"])
    space_command([SPACE])
    space = hub.repository(SPACE, "space")
    assert space.variables == {"GREETING": "hello"} and "models" not in card_of(hub)
    assert f"vmhan/weights/{BUNDLED}/model.safetensors" in space.files
    space_command([SPACE, "--model", MODEL])
    assert not [path for path in space.files if path.startswith(f"vmhan/weights/{BUNDLED}")]
    assert space.variables == {"GREETING": "hello", "VMHAN_MODEL": MODEL}


def test_private_model_needs_a_token_in_the_space(hub, monkeypatch):
    hub.repository(MODEL).private = True
    with pytest.raises(HubError, match="add --secret HF_TOKEN"):
        space_command([SPACE, "--model", MODEL])
    space_command([SPACE, "--model", MODEL, "--secret", "HF_TOKEN"])
    assert "preload_from_hub" not in card_of(hub), "the build of a Space has no secrets"


def test_missing_login_is_named(hub, monkeypatch, tmp_path):
    hub.enter(monkeypatch, tmp_path, token=None)
    with pytest.raises(HubError, match="hf auth login"):
        space_command([SPACE, "--model", MODEL])


@pytest.mark.parametrize("there", [False, True], ids=["new", "there already"])
@pytest.mark.parametrize("token", [READER, STRANGER])
def test_token_without_the_right_to_write_is_refused(hub, monkeypatch, tmp_path, token, there):
    if there:
        space_command([SPACE, "--model", MODEL])
    hub.enter(monkeypatch, tmp_path, token)
    with pytest.raises(HubError, match="may not write"):
        space_command([SPACE, "--model", MODEL, "--variable", "GREETING=hello"])
    assert ("space", SPACE) in hub.repositories if there else ("space", SPACE) not in hub.repositories


def test_push_that_was_cut_leaves_no_half_page_and_goes_on(hub):
    hub.cut_after = hub.begun
    with pytest.raises(HubError, match=r"connection to the Hub broke.*same command again"):
        space_command([SPACE])
    assert len(hub.repository(SPACE, "space").commits) == 1
    hub.cut_after = None
    space_command([SPACE])
    assert f"vmhan/weights/{BUNDLED}/model.safetensors" in hub.repository(SPACE, "space").files


def test_secret_that_is_not_set_is_named(hub, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(HubError, match="MY_KEY is not set"):
        space_command([SPACE, "--model", MODEL, "--secret", "MY_KEY"])


def test_model_that_is_not_there_is_named(hub):
    with pytest.raises(HubError, match="no 'ada/nothing' on the Hub"):
        space_command([SPACE, "--model", "ada/nothing"])


def test_space_of_another_kind_is_not_overwritten(hub):
    hub.repositories["space", SPACE] = Repository("space", SPACE, sdk="docker")
    with pytest.raises(HubError, match=r"is taken by a Space of another kind \(sdk 'docker'\)"):
        space_command([SPACE, "--model", MODEL])


def test_page_of_someone_else_is_not_overwritten(hub):
    other = hub.repositories["space", SPACE] = Repository("space", SPACE, sdk="gradio")
    other.add_commit("a page", {"app.py": File(b"import gradio", large=False)}, [])
    with pytest.raises(HubError, match=r"is taken by another page, whose app\.py is not ours"):
        space_command([SPACE, "--model", MODEL])
    assert len(other.commits) == 2


def test_only_what_the_page_imports_and_names_goes(tmp_path):
    """A page of tomorrow: a package beside it with a style sheet, and assets it does not use."""
    for path, text in {
        "app.py": "import shop\n",
        "shop/__init__.py": "def late():\n    import tools\n",
        "shop/shelf.py": "",
        "tools.py": "",
        "other/__init__.py": "",
        "shop/looks/shop.css": "a",
        "assets/unused.png": "b",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    sources = local_sources(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in sources] == [
        "app.py",
        "shop/__init__.py",
        "shop/shelf.py",
        "tools.py",
    ]
    assert [path.name for path in data_files(tmp_path, sources, with_model=False)] == ["shop.css"]


def test_gpu_decorator_is_used_where_it_is(monkeypatch):
    """`spaces` is Hugging Face's; here a module of that name that lists what it decorates."""
    decorated = []
    spaces = ModuleType("spaces")
    spaces.GPU = lambda function: decorated.append(function.__name__) or function
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    for name in ("page", "page.extractor"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import_module("page.extractor")
    assert decorated == ["__call__", "find_mentions"]


@pytest.fixture
def running_space(hub, tmp_path):
    """The address of the pushed Space, run by a stranger from a folder that holds only its files."""
    push_command([save_tiny_checkpoint(tmp_path / "tiny", entity_markers="shared"), MODEL])
    space_command([SPACE, "--model", MODEL])
    place = tmp_path / "space"
    for path, file in hub.repository(SPACE, "space").files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(file.data)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = hub.environment(tmp_path, token=None) | hub.repository(SPACE, "space").variables
    environment |= {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    environment |= {"GRADIO_TEMP_DIR": str(tmp_path / "gradio")}
    del environment["PYTHONPATH"]
    log = tmp_path / "space.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, ROOT / "tests" / "run_as_a_space.py"],
            cwd=place,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield wait_for_page(f"http://127.0.0.1:{port}", server, log)
        assert f"vmhan from {place / 'vmhan' / '__init__.py'}" in log.read_text()
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.mark.browser
@pytest.mark.slow
def test_uploaded_space_answers_in_a_browser(running_space):
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = chromium.new_page()
        page.set_default_timeout(90_000)
        page.goto(running_space)
        page.locator("table.pairs").wait_for()  # the first example, answered
        assert page.locator("table.pairs tr[data-pair]").count() == 3
        assert page.locator(".cards a img").count() == 5 and page.locator(".cards a").count() == 6
        page.get_by_label("Sentence", exact=True).fill("Zinedine Zidane met Ada in New York")
        page.get_by_text("3 entities, so 3 pairs").wait_for()
        page.get_by_role("button", name="Find relations").click()
        page.locator("table.pairs").wait_for()
        assert page.locator("table.pairs tr[data-pair]").count() == 3
        chromium.close()
