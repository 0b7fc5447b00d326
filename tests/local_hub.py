"""The Hugging Face Hub's HTTP interface on this machine, for tests of the real clients.

    with LocalHub() as hub:
        subprocess.run([...], env=hub.environment(tmp_path))

It keeps repositories of models, data sets and Spaces in memory, with commits, large files (git LFS), private
repositories, tokens that may only read, and a connection that can be cut in the middle of an upload. Xet, the Hub's
newer way to store large files, is switched off in the clients: it would need a storage server of its own.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
LARGE = (".safetensors", ".parquet", ".bin", ".jpg", ".png")
WRITER, READER, STRANGER = "hf_writer", "hf_reader", "hf_stranger"
DATE = "2026-01-01T00:00:00.000Z"


class Account(NamedTuple):
    """Who a token belongs to and whether it may write."""

    name: str
    may_write: bool = True


class File(NamedTuple):
    """What a path of a commit holds."""

    data: bytes
    large: bool

    @property
    def oid(self) -> str:
        """The name git knows a small file by, and LFS a large one."""
        if self.large:
            return hashlib.sha256(self.data).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()

    def describe(self, path: str) -> dict:
        """The entry of a file in a listing."""
        entry = {"type": "file", "path": path, "size": len(self.data), "oid": self.oid}
        return {**entry, "lfs": {"oid": self.oid, "size": len(self.data), "pointerSize": 134}} if self.large else entry


class Commit(NamedTuple):
    """One state of a repository."""

    oid: str
    title: str
    files: dict[str, File]


@dataclass
class Repository:
    """A repository with its history; the last three fields are a Space's.

    Args:
        hidden: Nobody may see it, as one of a group of an organisation that no account belongs to.
    """

    kind: str
    name: str
    private: bool = False
    hidden: bool = False
    sdk: str | None = None
    commits: list[Commit] = field(default_factory=list)
    hardware: str | None = None
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.add_commit("initial commit", {}, [])

    @property
    def owner(self) -> str:
        return self.name.split("/")[0]

    @property
    def files(self) -> dict[str, File]:
        """The newest files."""
        return self.commits[-1].files

    def add_commit(self, title: str, added: dict[str, File], deleted: list[str]) -> Commit:
        """A new commit; a deleted path that ends in a slash is a folder."""
        files = dict(self.commits[-1].files) if self.commits else {}
        for path in deleted:
            gone = [name for name in files if name == path or (path.endswith("/") and name.startswith(path))]
            files = {name: files[name] for name in files if name not in gone}
        oid = hashlib.sha1(f"{self.kind} {self.name} {len(self.commits)}".encode()).hexdigest()
        self.commits.append(Commit(oid, title, {**files, **added}))
        return self.commits[-1]

    def at(self, revision: str) -> Commit | None:
        """The commit of a branch name or hash; there is one branch."""
        if revision in ("main", "HEAD"):
            return self.commits[-1]
        return next((commit for commit in self.commits if commit.oid == revision), None)


class Request(NamedTuple):
    """What a client asks."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body or b"{}")


class Answer(Exception):
    """What the Hub says, with the headers by which clients tell one 404 from another."""

    def __init__(self, status: int = 200, body: bytes | dict | list = b"", **headers: str):
        super().__init__(status)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.body = body

    @classmethod
    def error(cls, status: int, message: str, code: str = "", **headers: str) -> "Answer":
        return cls(status, {"error": message}, X_Error_Code=code, X_Error_Message=message, **headers)


class LocalHub:
    """A Hub with the users `ada`, who has a token for writing and one for reading, and `bob`.

    Args:
        requests: (method, path, status) of everything that was asked, in order.
        cut_after: So many large files arrive; the connection of every further one is cut halfway. None cuts nothing.
    """

    def __init__(self):
        self.accounts = {WRITER: Account("ada"), READER: Account("ada", may_write=False), STRANGER: Account("bob")}
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.large_files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, int]] = []
        self.cut_after: int | None = None
        self.begun = 0  # uploads of large files, those that were cut among them
        self.lock = threading.RLock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> "LocalHub":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.server.server_close()

    def environment(self, home: Path, token: str | None = WRITER) -> dict[str, str]:
        """Environment of a client process: this Hub, empty caches under `home`, nothing of the user's own login."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING", "PYTHON"))}
        settings = {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home / "huggingface"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("tests"))]),
        }
        return {**kept, **settings, **({"HF_TOKEN": token} if token else {})}

    def enter(self, monkeypatch, home: Path, token: str | None = WRITER) -> None:
        """Makes this process a client, as `environment` does with another one; retries wait for nothing."""
        for name, value in {
            "ENDPOINT": self.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": f"{self.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
            "HF_HUB_CACHE": str(home / "huggingface" / "hub"),
            "HF_HUB_DISABLE_XET": True,
            "HF_HUB_DISABLE_TELEMETRY": True,
            "HF_HUB_OFFLINE": False,
            "HF_TOKEN_PATH": str(home / "no-token"),
        }.items():
            monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
        impatient = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None})  # for this module only
        monkeypatch.setattr("huggingface_hub.utils._http.time", impatient)
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        if token:
            monkeypatch.setenv("HF_TOKEN", token)

    def run(self, home: Path, *words: str, token: str | None = WRITER, **settings) -> subprocess.CompletedProcess:
        """Runs `python words...` as a client; `settings` are those of `subprocess.run`."""
        command = [sys.executable, *map(str, words)]
        environment = {**self.environment(home, token), **settings.pop("extra", {})}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, **settings)

    def repository(self, name: str, kind: str = "model") -> Repository:
        """A repository by its name."""
        return self.repositories[kind, name]

    def uploads(self) -> int:
        """How many large files have arrived."""
        return sum(method == "PUT" and status == 200 for method, _, status in self.requests)

    def respond(self, request: Request) -> Answer:
        """The answer to a request."""
        for method, pattern, act in ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method in (request.method, "ANY"):
                try:
                    with self.lock:
                        act(self, request, **found.groupdict())
                except Answer as answer:
                    return answer
        return Answer.error(404, f"no route {request.method} {request.path}")

    def account(self, request: Request) -> Account | None:
        """Who asks."""
        return self.accounts.get(request.headers.get("authorization", "").removeprefix("Bearer "))

    def find(self, request: Request, kind: str | None, name: str) -> Repository:
        """The repository that a path names, if the client may see it; to others it does not exist."""
        repository = self.repositories.get(((kind or "models").removesuffix("s"), name))
        account = self.account(request)
        is_owner = repository is not None and account is not None and account.name == repository.owner
        if repository is None or repository.hidden or (repository.private and not is_owner):
            raise Answer.error(404 if account else 401, "Repository not found", "RepoNotFound")
        return repository

    def require_writer(self, request: Request, owner: str) -> Account:
        """Who asks, if they may write there."""
        account = self.account(request)
        if account is None:
            raise Answer.error(401, "Invalid credentials in Authorization header")
        if account.name != owner or not account.may_write:
            raise Answer.error(403, f"You don't have the rights to write under the namespace {owner!r}")
        return account


# What each route does. It ends by raising an `Answer`.


def who_am_i(hub: LocalHub, request: Request):
    account = hub.account(request)
    if account is None:
        raise Answer.error(401, "Invalid credentials in Authorization header")
    role = "write" if account.may_write else "read"
    token = {"type": "access_token", "accessToken": {"role": role, "displayName": "tests"}}
    raise Answer(200, {"type": "user", "name": account.name, "fullname": account.name, "orgs": [], "auth": token})


def validate_card(hub: LocalHub, request: Request):
    raise Answer(200, {"errors": [], "warnings": []})


def create_repository(hub: LocalHub, request: Request):
    asked = request.json
    account = hub.account(request)
    owner = asked.get("organization") or (account.name if account else "")
    kind, name = asked.get("type") or "model", f"{owner}/{asked['name']}"
    hub.require_writer(request, owner)
    url = hub.url + ("" if kind == "model" else f"/{kind}s") + f"/{name}"
    if (kind, name) in hub.repositories:
        raise Answer(409, {"error": "You already created this repo", "url": url})
    private = bool(asked.get("private")) or asked.get("visibility") == "private"
    hub.repositories[kind, name] = repository = Repository(kind, name, private, sdk=asked.get("sdk"))
    repository.hardware = asked.get("hardware")
    repository.secrets.update({item["key"]: item["value"] for item in asked.get("secrets") or []})
    repository.variables.update({item["key"]: item["value"] for item in asked.get("variables") or []})
    raise Answer(200, {"url": url, "name": name, "id": "0"})


def describe_repository(hub: LocalHub, request: Request, kind: str, name: str, revision: str | None = None):
    repository = hub.find(request, kind, name)
    commit = _commit(repository, revision or "main")
    described = {
        "_id": "0",
        "id": name,
        "modelId": name,
        "author": repository.owner,
        "sha": commit.oid,
        "private": repository.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "createdAt": DATE,
        "lastModified": DATE,
        "siblings": [{"rfilename": path} for path in sorted(commit.files)],
    }
    if repository.kind == "space":
        described |= {"sdk": repository.sdk, "runtime": _runtime(repository)}
    raise Answer(200, described)


def check_writer(hub: LocalHub, request: Request, kind: str, name: str):
    hub.require_writer(request, hub.find(request, kind, name).owner)
    raise Answer(200)


def list_refs(hub: LocalHub, request: Request, kind: str, name: str):
    newest = hub.find(request, kind, name).commits[-1]
    main = {"name": "main", "ref": "refs/heads/main", "targetCommit": newest.oid}
    raise Answer(200, {"branches": [main], "converts": [], "tags": []})


def list_tree(hub: LocalHub, request: Request, kind: str, name: str, revision: str, folder: str | None = None):
    commit = _commit(hub.find(request, kind, name), revision)
    prefix = f"{folder.rstrip('/')}/" if folder else ""
    inside = {path: file for path, file in sorted(commit.files.items()) if path.startswith(prefix)}
    if prefix and not inside:
        raise Answer.error(404, "no such folder", "EntryNotFound")
    parents = {str(parent) for path in inside for parent in Path(path).parents} - {".", prefix.rstrip("/")}
    folders = sorted(parent for parent in parents if parent.startswith(prefix))
    entries = [{"type": "directory", "path": path, "size": 0, "oid": "0" * 40} for path in folders]
    entries += [file.describe(path) for path, file in inside.items()]
    if request.query.get("recursive", "").lower() not in ("true", "1"):
        entries = [entry for entry in entries if "/" not in entry["path"].removeprefix(prefix)]
    raise Answer(200, entries, X_Repo_Commit=commit.oid)


def describe_paths(hub: LocalHub, request: Request, kind: str, name: str, revision: str):
    commit = _commit(hub.find(request, kind, name), revision)
    is_json = request.body.startswith(b"{")
    paths = request.json["paths"] if is_json else parse_qs(request.body.decode())["paths"]
    found = []
    for path in paths:
        if path in commit.files:
            found.append(commit.files[path].describe(path))
        elif any(name.startswith(f"{path}/") for name in commit.files):
            found.append({"type": "directory", "path": path, "size": 0, "oid": "0" * 40})
    raise Answer(200, found)


def choose_upload(hub: LocalHub, request: Request, kind: str, name: str, revision: str):
    """Which files are to come as large ones, and what is there already under their names."""
    repository = hub.find(request, kind, name)
    hub.require_writer(request, repository.owner)
    files = []
    for asked in request.json["files"]:
        large = asked["size"] > 10_000_000 or asked["path"].endswith(LARGE)
        present = repository.files.get(asked["path"])
        mode = {"uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
        files.append({"path": asked["path"], **mode, "oid": present and present.oid})
    raise Answer(200, {"files": files})


def offer_large_files(hub: LocalHub, request: Request, name: str, kind: str | None = None):
    """Where large files go; those that have arrived before need no upload."""
    hub.require_writer(request, hub.find(request, kind, name).owner)
    objects = [{"oid": asked["oid"], "size": asked["size"]} for asked in request.json["objects"]]
    for item in objects:
        if item["oid"] not in hub.large_files:
            item["actions"] = {"upload": {"href": f"{hub.url}/large-files/{item['oid']}", "header": {}}}
    raise Answer(200, {"transfer": "basic", "objects": objects}, Content_Type="application/vnd.git-lfs+json")


def take_large_file(hub: LocalHub, request: Request, oid: str):
    if hashlib.sha256(request.body).hexdigest() != oid:
        raise Answer.error(400, "the content does not match its name")
    hub.large_files[oid] = request.body
    raise Answer(200)


def commit(hub: LocalHub, request: Request, kind: str, name: str, revision: str):
    repository = hub.find(request, kind, name)
    hub.require_writer(request, repository.owner)
    title, added, deleted = "", {}, []
    for line in map(json.loads, request.body.splitlines()):
        value = line["value"]
        if line["key"] == "header":
            title = value["summary"]
        elif line["key"] == "file":
            added[value["path"]] = File(base64.b64decode(value["content"]), large=False)
        elif line["key"] == "lfsFile":
            added[value["path"]] = File(hub.large_files[value["oid"]], large=True)
        elif line["key"] == "deletedFile":
            deleted.append(value["path"])
        elif line["key"] == "deletedFolder":
            deleted.append(value["path"].rstrip("/") + "/")
    made = repository.add_commit(title, added, deleted)
    url = f"{hub.url}/{'' if repository.kind == 'model' else f'{repository.kind}s/'}{name}/commit/{made.oid}"
    raise Answer(200, {"success": True, "commitOid": made.oid, "commitUrl": url, "hookOutput": ""})


def download(hub: LocalHub, request: Request, name: str, revision: str, path: str, kind: str | None = None):
    commit = _commit(hub.find(request, kind, name), revision)
    file = commit.files.get(path)
    if file is None:
        raise Answer.error(404, "Entry not found", "EntryNotFound", X_Repo_Commit=commit.oid)
    headers = {"ETag": f'"{file.oid}"', "X_Repo_Commit": commit.oid, "Accept_Ranges": "bytes"}
    if file.large:
        headers |= {"X_Linked_ETag": f'"{file.oid}"', "X_Linked_Size": str(len(file.data))}
    part = re.match(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if part:
        first, last = int(part[1]), min(int(part[2] or len(file.data)), len(file.data) - 1)
        place = f"bytes {first}-{last}/{len(file.data)}"
        raise Answer(206, file.data[first : last + 1], Content_Range=place, **headers)
    raise Answer(200, file.data, **headers)


def space_runtime(hub: LocalHub, request: Request, name: str):
    raise Answer(200, _runtime(hub.find(request, "spaces", name)))


def space_hardware(hub: LocalHub, request: Request, name: str):
    space = _own_space(hub, request, name)
    space.hardware = request.json["flavor"]
    raise Answer(200, _runtime(space))


def space_secret(hub: LocalHub, request: Request, name: str):
    _own_space(hub, request, name).secrets[request.json["key"]] = request.json["value"]
    raise Answer(200, {})


def space_variable(hub: LocalHub, request: Request, name: str):
    space = _own_space(hub, request, name)
    if request.method == "POST":
        space.variables[request.json["key"]] = request.json["value"]
    elif request.method == "DELETE":
        del space.variables[request.json["key"]]
    listed = {key: {"key": key, "value": value, "updatedAt": DATE} for key, value in space.variables.items()}
    raise Answer(200, listed)


def _own_space(hub: LocalHub, request: Request, name: str) -> Repository:
    space = hub.find(request, "spaces", name)
    hub.require_writer(request, space.owner)
    return space


def _runtime(space: Repository) -> dict:
    hardware = {"current": None, "requested": space.hardware or "cpu-basic"}
    return {"stage": "BUILDING", "hardware": hardware, "storage": None, "gcTimeout": 172800}


def _commit(repository: Repository, revision: str) -> Commit:
    found = repository.at(revision)
    if found is None:
        raise Answer.error(404, "Invalid rev id", "RevisionNotFound")
    return found


_KIND = r"(?P<kind>models|datasets|spaces)"
_NAME = r"(?P<name>[^/]+/[^/]+)"
_REPOSITORY = rf"/api/{_KIND}/{_NAME}"
_OF_KIND = rf"(?:/(?P<kind>datasets|spaces))?/{_NAME}"
_REVISION = r"(?P<revision>[^/]+)"
ROUTES = [
    ("GET", "/api/whoami-v2", who_am_i),
    ("POST", "/api/validate-yaml", validate_card),
    ("POST", "/api/repos/create", create_repository),
    ("GET", f"/api/spaces/{_NAME}/runtime", space_runtime),
    ("POST", f"/api/spaces/{_NAME}/hardware", space_hardware),
    ("POST", f"/api/spaces/{_NAME}/secrets", space_secret),
    ("ANY", f"/api/spaces/{_NAME}/variables", space_variable),
    ("GET", _REPOSITORY, describe_repository),
    ("GET", rf"{_REPOSITORY}/revision/{_REVISION}", describe_repository),
    ("GET", rf"{_REPOSITORY}/auth-check/write", check_writer),
    ("GET", rf"{_REPOSITORY}/refs", list_refs),
    ("GET", rf"{_REPOSITORY}/tree/{_REVISION}(?:/(?P<folder>.+))?", list_tree),
    ("POST", rf"{_REPOSITORY}/paths-info/{_REVISION}", describe_paths),
    ("POST", rf"{_REPOSITORY}/preupload/{_REVISION}", choose_upload),
    ("POST", rf"{_REPOSITORY}/commit/{_REVISION}", commit),
    ("POST", rf"{_OF_KIND}\.git/info/lfs/objects/batch", offer_large_files),
    ("PUT", "/large-files/(?P<oid>[0-9a-f]{64})", take_large_file),
    ("GET", rf"{_OF_KIND}/resolve/{_REVISION}/(?P<path>.+)", download),
]


def _handler(hub: LocalHub) -> type[BaseHTTPRequestHandler]:
    """The class that joins the standard library's server to a hub."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *message):
            pass

        def answer(self):
            address = urlsplit(self.path)
            if self.is_cut(address.path):
                hub.requests.append((self.command, address.path, 0))
                self.close_connection = True
                return
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            method = "GET" if self.command == "HEAD" else self.command
            answer = hub.respond(Request(method, unquote(address.path), query, headers, self.read_body()))
            hub.requests.append((self.command, address.path, answer.status))
            self.send(answer)

        def is_cut(self, path: str) -> bool:
            """Whether this upload is to break off; half of it is read then."""
            if not path.startswith("/large-files/"):
                return False
            with hub.lock:
                hub.begun += 1
                if hub.cut_after is None or hub.begun <= hub.cut_after:
                    return False
            self.rfile.read(int(self.headers.get("Content-Length") or 0) // 2)
            return True

        def read_body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def send(self, answer: Answer):
            is_data = isinstance(answer.body, bytes)
            body = answer.body if is_data else json.dumps(answer.body).encode()
            kind = {"Content-Type": "application/octet-stream" if is_data else "application/json"}
            self.send_response(answer.status)
            for name, value in {**kind, **answer.headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

    return Handler
