"""The contents of a model's repository: a dict from the path there to a file here, or to its bytes."""

import json
from pathlib import Path

from vmhan.registrations import AUTO_MAP, CUSTOM_PIPELINES

from .code_files import PACKAGE, ROOT, code_files, requirements
from .connection import HubError

Contents = dict[str, Path | bytes]

HANDLER = Path(__file__).with_name("handler.py")
#: The bundled detector; `vmhan.bundled_weights` finds it beside the model.
DETECTOR, BESIDE_MODEL = ROOT / "vmhan" / "weights" / "detector", "detector"
CONFIG, PROCESSOR, CARD = "config.json", "processor_config.json", "README.md"
WEIGHTS, INDEX_OF_SHARDS = "model.safetensors", "model.safetensors.index.json"
#: The suffixes of saved weights, tokenizers and processors. Pickles (.bin, .pt, .pth) are left out.
SUFFIXES = (".safetensors", ".json", ".jinja", ".txt", ".model")
#: Files of the trainer beside them.
TRAINER_FILES = ("trainer_state.json", "all_results.json", "train_results.json", "eval_results.json")


def read_json(path: Path) -> dict:
    """Reads the object of a JSON file.

    Raises:
        HubError: The file holds none.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HubError(f"{path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise HubError(f"{path} is no JSON object.")
    return value


def model_contents(folder: Path, package: Path = PACKAGE) -> Contents:
    """Collects weights, config, processor, detector, the code that these need and the handler, not the model card.

    Raises:
        HubError: The folder holds no VM-HAN, or weights in pickles only.
    """
    check_folder(folder)
    code = [*code_files(package), HANDLER]
    saved = {path.name: path for path in sorted(folder.iterdir()) if _is_pushed(path)}
    if WEIGHTS in saved:
        saved.pop(INDEX_OF_SHARDS, None)  # left by an earlier saving, whose shards are gone
    processor = read_json(folder / PROCESSOR)
    generated = {
        CONFIG: _dump(_with_registrations(read_json(folder / CONFIG))),
        PROCESSOR: _dump(_with_processor(processor)),
        "requirements.txt": ("\n".join(requirements(code)) + "\n").encode(),
    }
    detector_files = [path for path in DETECTOR.glob("*") if _is_pushed(path) or path.name == CARD]
    detector = {f"{BESIDE_MODEL}/{path.name}": path for path in detector_files}
    return dict(sorted({**saved, **detector, **{path.name: path for path in code}, **generated}.items()))


def check_folder(folder: Path) -> None:
    """Checks that a folder holds a finished VM-HAN.

    Raises:
        HubError: It does not; says what is missing.
    """
    if not folder.is_dir():
        raise HubError(f"{str(folder)!r} is no folder; name one that `save_pretrained` wrote.")
    for name, maker in ((CONFIG, "model"), (PROCESSOR, "processor")):
        if not (folder / name).is_file():
            raise HubError(f"{folder} holds no {name}; save the {maker} there with `{maker}.save_pretrained`.")
    kind = read_json(folder / CONFIG).get("model_type")
    if kind != "vmhan":
        raise HubError(f"{folder / CONFIG} describes a model of type {kind!r}; only VM-HAN models can be pushed here.")
    weight_files(folder)


def weight_files(folder: Path) -> list[Path]:
    """Finds the weights that `from_pretrained` reads: one file, or shards.

    Raises:
        HubError: There are none; or both: then the single file, which may be older, would be read.
    """
    single, shards = folder / WEIGHTS, sorted(folder.glob("model-*-of-*.safetensors"))
    if single.is_file() and shards:
        raise HubError(
            f"{folder} holds {WEIGHTS} and weights in shards, from two savings; remove the older ones: only {WEIGHTS} "
            "would be read."
        )
    if not single.is_file() and not shards:
        raise HubError(f"{folder} holds no {WEIGHTS}; load the model and `save_pretrained` it again.")
    return shards or [single]


def size(content: Path | bytes) -> int:
    """Returns the number of bytes of a content."""
    return content.stat().st_size if isinstance(content, Path) else len(content)


def write_contents(contents: Contents, folder: Path) -> None:
    """Writes contents to a folder, from which the model loads as from the Hub."""
    for name, content in contents.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.read_bytes() if isinstance(content, Path) else content)


def is_weights(name: str) -> bool:
    """Tests whether a file holds weights that `from_pretrained` reads, or is the index of their shards."""
    return name.startswith("model") and name.endswith((".safetensors", ".safetensors.index.json"))


def _is_pushed(path: Path) -> bool:
    hidden = path.name.startswith((".", "_")) or path.name in TRAINER_FILES
    other_weights = path.suffix == ".safetensors" and not is_weights(path.name)
    return path.is_file() and path.suffix in SUFFIXES and not hidden and not other_weights


def left_out(folder: Path) -> list[str]:
    """Lists the files of a folder that are not pushed, such as pickles."""
    return sorted(path.name for path in folder.iterdir() if not _is_pushed(path) and path.name != CARD)


def _with_registrations(config: dict) -> dict:
    return {**config, "auto_map": AUTO_MAP, "custom_pipelines": CUSTOM_PIPELINES}


def _with_processor(config: dict) -> dict:
    name = "AutoProcessor"
    return {**config, "auto_map": {name: AUTO_MAP[name]}}


def _dump(value: dict) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
