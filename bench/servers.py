"""Development servers with one hello-world function each: ours and the peers, started and ended.

Each runs in a folder of its own, on free ports, and is ended with all that it started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.install import Peers

ROOT = Path(__file__).parent.parent
HELLO = 'exports.handler = async () => ({ statusCode: 200, body: "hello" });\n'
WORKER = 'export default { async fetch() { return new Response("hello"); } };\n'
PATIENCE = 60.0  # seconds until a server that has not answered is given up
PAUSE = 0.002  # seconds between two looks at it


@dataclass(frozen=True)
class Server:
    """`command` is run in `folder`; `file` holds the function; `path` is where it answers.

    `reloading` are options without which a change is never seen, and with which answers are slow.
    """

    name: str
    command: list[str]
    folder: Path
    file: Path
    path: str
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    reloading: tuple[str, ...] = ()

    def text(self, word: str) -> str:
        return (WORKER if self.file.suffix == ".mjs" else HELLO).replace("hello", word)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        return int(opened.getsockname()[1])


def ours(folder: Path) -> Server:
    (folder / "functions").mkdir(parents=True)
    (folder / "jam.toml").write_text('site = "bench"\n')
    port = free_port()
    command = [sys.executable, "-m", "runner", "functions", "--port", str(port)]
    path = "/.functions/hello"
    return Server("jam-deploy", command, folder, folder / "functions/hello.js", path, port)


def offline(folder: Path, *, node: Path, peer: Path) -> Server:
    folder.mkdir(parents=True)
    port, other = free_port(), free_port()
    (folder / "serverless.yml").write_text(
        "service: bench\nframeworkVersion: '3'\nprovider: { name: aws, runtime: nodejs20.x }\n"
        f"plugins: ['{peer}/node_modules/serverless-offline']\n"
        "functions: { hello: { handler: hello.handler, events: [ { httpApi: 'GET /hello' } ] } }\n"
    )
    script = peer / "node_modules/serverless/bin/serverless.js"
    command = [str(node), str(script), "offline",
               "--httpPort", str(port), "--lambdaPort", str(other)]  # fmt: skip
    return Server("serverless-offline", command, folder, folder / "hello.js", "/hello", port,
                  {"SLS_TELEMETRY_DISABLED": "1"}, ("--reloadHandler",))  # fmt: skip


def netlify(folder: Path, *, node: Path, peer: Path) -> Server:
    (folder / "functions").mkdir(parents=True)
    (folder / "netlify.toml").write_text('[functions]\ndirectory = "functions"\n')
    script = peer / "node_modules/netlify-cli/bin/run.js"
    port = free_port()
    command = [str(node), str(script), "functions:serve", "--offline", "--port", str(port)]
    file = folder / "functions/hello.js"
    return Server(
        "netlify functions:serve", command, folder, file, "/.netlify/functions/hello", port
    )


def wrangler(folder: Path, *, node: Path, peer: Path) -> Server:
    folder.mkdir(parents=True)
    script = peer / "node_modules/wrangler/bin/wrangler.js"
    port = free_port()
    command = [str(node), str(script), "dev", "hello.mjs", "--name", "bench", "--port", str(port),
               "--compatibility-date", "2025-01-01"]  # fmt: skip
    return Server("wrangler dev", command, folder, folder / "hello.mjs", "/", port,
                  {"WRANGLER_SEND_METRICS": "false"})  # fmt: skip


PEERS = {"serverless-offline": offline, "netlify-cli": netlify, "wrangler": wrangler}


def servers(folder: Path, peers: Peers) -> list[Server]:
    """Ours, and every peer that is there."""
    node = peers.toolchain.node
    made = [ours(folder / "ours")]
    for name, make in PEERS.items():
        if peer := peers.get(name):
            made.append(make(folder / name, node=node, peer=peer))
    return made


@contextlib.contextmanager
def running(server: Server, node: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """The process and the seconds from its start to the first answer."""
    server.file.write_text(server.text("hello"))
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    begun = time.perf_counter()
    process = subprocess.Popen(
        server.command, cwd=server.folder, env={**os.environ, "PATH": path, **server.environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        until(server.url, b"hello", process)
        yield process, time.perf_counter() - begun
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(url: str, body: bytes, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, urllib.error.URLError):
            if body in urllib.request.urlopen(url, timeout=5).read():
                return
        time.sleep(PAUSE)
    raise TimeoutError(f"{url} never answered {body!r}")


def changed(server: Server, process: subprocess.Popen[bytes], word: str) -> float:
    """Seconds from saving the file to the first changed answer."""
    begun = time.perf_counter()
    server.file.write_text(server.text(word))
    until(server.url, word.encode(), process)
    return time.perf_counter() - begun
