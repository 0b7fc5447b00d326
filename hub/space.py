"""Creates or updates a Gradio Space that serves a model.

    python -m hub.space user/space --model user/name
    python -m hub.space user/space --model user/name --private --hardware zero-a10g --secret HF_TOKEN
    python -m hub.space user/space --model user/name --dry-run     # lists the files

A secret's value is read from the environment variable of its name, so that it is never in a command line. A
private model needs the secret HF_TOKEN, a token that may read it.
"""

import argparse
import os
import shlex
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, SpaceHardware

from .connection import HubError, explained_errors, is_private, open_repository, run_command
from .contents import Contents, size, write_contents
from .space_contents import APP, space_contents

MODEL_VARIABLE = "VMHAN_MODEL"


def push_space(
    contents: Contents,
    name: str,
    private: bool = False,
    hardware: str | None = None,
    secrets: dict[str, str] | None = None,
    variables: dict[str, str] | None = None,
) -> str | None:
    """Creates or updates the Space and returns the address of the commit, or None if its files were there already.

    Secrets and variables are set before the files, so that the first start finds them. The variable of a model that
    the Space no longer names is deleted, and so are files in its folders that are not among `contents`.

    Raises:
        HubError: With what to do about it.
    """
    api = HfApi()
    existed = open_repository(api, name, "space", private, space_sdk="gradio")
    with explained_errors(name):
        present = set(api.list_repo_files(name, repo_type="space"))
        if existed:
            _check_not_taken(api, name, present)
        for key, value in (secrets or {}).items():
            api.add_space_secret(name, key, value)
        variables = variables or {}
        if MODEL_VARIABLE in api.get_space_variables(name).keys() - variables.keys():
            api.delete_space_variable(name, MODEL_VARIABLE)
        for key, value in variables.items():
            api.add_space_variable(name, key, value)
        if hardware and api.get_space_runtime(name).requested_hardware != hardware:
            api.request_space_hardware(name, SpaceHardware(hardware))
        folders = {*(path.split("/")[0] + "/" for path in contents if "/" in path)}
        stale = [path for path in sorted(present - contents.keys()) if path.startswith(tuple(folders))]
        before = api.space_info(name).sha
        operations = [
            *(CommitOperationAdd(path, content) for path, content in contents.items()),
            *(CommitOperationDelete(path) for path in stale),
        ]
        commit = api.create_commit(name, operations, commit_message="Update the page", repo_type="space")
    return None if commit.oid == before else commit.commit_url


def _check_not_taken(api: HfApi, name: str, present: set[str]) -> None:
    """Checks that a Space holds no other page; an empty one may be used."""
    sdk = api.space_info(name).sdk
    ours = "vmhan/__init__.py" in present or APP not in present
    if sdk != "gradio" or not ours:
        page = f"another page, whose {APP} is not ours"
        other = page if sdk == "gradio" else f"a Space of another kind (sdk {sdk!r})"
        raise HubError(f"The name {name!r} is taken by {other}. Choose another name, or delete it on the Hub.")


def read_secrets(names: list[str]) -> dict[str, str]:
    """Reads the environment variables of these names.

    Raises:
        HubError: One is not set.
    """
    for name in names:
        if not os.environ.get(name):
            raise HubError(f"The secret {name} is not set; export it first: the value is read from the environment.")
    return {name: os.environ[name] for name in names}


def read_variables(settings: list[str]) -> dict[str, str]:
    """Parses `NAME=VALUE` strings to a dict.

    Raises:
        HubError: One has no "=".
    """
    for setting in settings:
        if "=" not in setting:
            raise HubError(f"The variable {setting!r} has no value; write NAME=VALUE.")
    return dict(setting.split("=", 1) for setting in settings)


def main(argv: list[str]) -> None:
    """Runs the command line: creates or updates a Space."""
    parser = argparse.ArgumentParser(prog="python -m hub.space", description="Create or update a Gradio Space.")
    parser.add_argument("name", help="user/name of the Space")
    parser.add_argument("--model", help="user/name of the model on the Hub (default: the bundled model is included)")
    parser.add_argument("--title", default="VM-HAN", help="title of its tile")
    parser.add_argument("--hardware", choices=[item.value for item in SpaceHardware], help="hardware to run it on")
    parser.add_argument("--secret", action="append", default=[], metavar="NAME", help="set from the environment")
    parser.add_argument("--variable", action="append", default=[], metavar="NAME=VALUE", help="anyone can read it")
    parser.add_argument("--private", action="store_true", help="only you may see it")
    parser.add_argument("--dry-run", action="store_true", help="list the files, and send nothing")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="write it to a folder, and send nothing")
    options = parser.parse_args(argv)
    variables = read_variables(options.variable)
    secrets = read_secrets(options.secret)
    hidden = bool(options.model) and is_private(options.model, "model")
    if hidden and "HF_TOKEN" not in secrets:
        raise HubError(
            f"{options.model!r} is private, so the Space needs a token that may read it: export HF_TOKEN and add "
            "--secret HF_TOKEN."
        )
    if options.model:
        variables[MODEL_VARIABLE] = options.model
    contents = space_contents(
        model=options.model,
        title=options.title,
        hardware=options.hardware or "cpu-basic",
        preload=bool(options.model) and not hidden,
    )
    print("\n".join(f"{size(content):>12,}  {path}" for path, content in contents.items()))
    if options.export:
        write_contents(contents, options.export)
        settings = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
        print(f"Written to {options.export}; start it there with: {' '.join([*settings, 'python', APP])}")
    elif not options.dry_run:
        address = push_space(contents, options.name, options.private, options.hardware, secrets, variables)
        print(f"Pushed: {address}" if address else f"The files of {options.name} are up to date.")


if __name__ == "__main__":
    run_command("hub.space", main)
