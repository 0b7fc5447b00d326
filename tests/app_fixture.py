"""`python app.py` in a process of its own, and visitors who speak to it by HTTP and MCP."""

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[1]
MARK = {"_type": "gradio.FileData"}  # by which Gradio knows a file


class Listener:
    """A proxy that only counts who knocks: what the server asks other machines for would come here."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.knocks = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.knocks.append(connection.recv(200))


def serve(tmp_path_factory, *options: str, folder: Path | None = None, **environment):
    """Starts `python app.py` on a free port, in this folder or one of its own; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "app.log"
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("gradio")), **environment}
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py"), "--port", str(port), *options],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder or tmp_path_factory.mktemp("elsewhere"),
        )
    try:
        yield wait_for_page(f"http://127.0.0.1:{port}", server, log)
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for_page(address: str, server: subprocess.Popen, log: Path) -> str:
    """The address, once it answers."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return address
        except OSError:
            time.sleep(0.25)
    raise TimeoutError(log.read_text())


@dataclass
class Served:
    """A page that runs: its address, its working folder, its upload folder and its file of ratings."""

    address: str
    folder: Path
    uploads: Path
    feedback: Path


class Visitor:
    """A session of the page that sends what a browser would, or worse."""

    def __init__(self, address: str):
        self.api, self.session = f"{address}/gradio_api", secrets.token_hex(8)
        self.http = httpx.Client(timeout=120)
        self.config = self.http.get(f"{address}/config").raise_for_status().json()
        self.kinds = {component["id"]: component["type"] for component in self.config["components"]}

    def inputs(self, event: dict) -> list[str]:
        """Kinds of the components that an event takes."""
        return [self.kinds[number] for number in event["inputs"]]

    def event(self, name: str) -> dict:
        return next(event for event in self.config["dependencies"] if event["api_name"] == name)

    def upload(self, path: Path) -> str:
        """Where Gradio has stored the file."""
        with path.open("rb") as file:
            answer = self.http.post(f"{self.api}/upload", files={"files": (path.name, file)})
        return answer.raise_for_status().json()[0]

    def ask(self, name: str, *data, event_data=None) -> list:
        """The outputs of an event.

        Raises:
            Refused: It failed.
        """
        (output,) = self.ask_all([(self.event(name), data)], event_data)
        if "error" in output:
            raise Refused(output["error"])
        return output["data"]

    def ask_all(self, requests: list[tuple[dict, list]], event_data=None) -> list[dict]:
        """What came of each event and its inputs, in their order: `"data"` or `"error"`."""
        bodies = [
            {"fn_index": event["id"], "data": list(data), "session_hash": self.session, "event_data": event_data}
            for event, data in requests
        ]
        numbers = [
            self.http.post(f"{self.api}/queue/join", json=body).raise_for_status().json()["event_id"]
            for body in bodies
        ]
        outputs, session = {}, {"session_hash": self.session}
        with self.http.stream("GET", f"{self.api}/queue/data", params=session) as lines:
            for line in lines.iter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed":
                    outputs[message["event_id"]] = message["output"]
                if len(outputs) == len(numbers):
                    break
        return [outputs[number] for number in numbers]


class Refused(Exception):
    """An event failed with this message."""


class Agent:
    """A client of the page's MCP tool."""

    def __init__(self, address: str):
        self.address = address
        self.mcp = pytest.importorskip("mcp", reason='MCP needs pip install -e ".[mcp]"')

    def tools(self) -> list:
        """The tools of the page."""
        return self._run(lambda session: session.list_tools()).tools

    def call(self, arguments: dict):
        """The answer of `/extract` as a tool."""
        return self._run(lambda session: session.call_tool("extract", arguments))

    def _run(self, ask):
        with ThreadPoolExecutor(1) as other:  # the browser's driver has a loop in this thread
            return other.submit(lambda: asyncio.run(self._in_session(ask))).result()

    async def _in_session(self, ask):
        from mcp.client.streamable_http import streamablehttp_client

        async with (
            streamablehttp_client(f"{self.address}/gradio_api/mcp/") as (read, write, _),
            self.mcp.ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await ask(session)
