"""`dev` from outside: front end and functions behind one port, streams and WebSockets untouched."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.config.dev import dev_command
from runner.config.load import Overrides, load
from tests.compute_site import eventually
from tests.test_develop_functions import HELLO, Running, start, stop

# A front end's server as far as a proxy can tell: pages, a body, a slow stream, an upgrade.
FRONT = """
import os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

held = threading.Event()

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_): ...

    def do_GET(self):
        if self.path == "/pid":
            return self.send(str(os.getpid()).encode())
        if self.path == "/go-on":
            held.set()
            return self.send(b"ok")
        if self.headers.get("upgrade") == "echo":
            self.send_response(101)
            self.send_header("connection", "upgrade")
            self.send_header("upgrade", "echo")
            self.end_headers()
            while data := self.rfile.readline():
                self.wfile.write(b"echo " + data)
            return
        if self.path == "/stream":
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\\r\\none\\r\\n")
            held.wait(20)
            self.wfile.write(b"3\\r\\ntwo\\r\\n0\\r\\n\\r\\n")
            return
        self.send(f"page {self.path} for {self.headers['host']}".encode())

    def do_POST(self):
        self.send(b"got " + self.rfile.read(int(self.headers["content-length"])))

    def send(self, body):
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"Local: \\x1b[36mhttp://localhost:\\x1b[1m{server.server_port}\\x1b[0m/", flush=True)
server.serve_forever()
"""


def folder_of(tmp_path: Path, dev: str) -> Path:
    (tmp_path / "functions").mkdir(parents=True)
    (tmp_path / "functions/hello.js").write_text(HELLO)
    (tmp_path / "index.html").write_text("<h1>Front</h1>")
    (tmp_path / "jam.toml").write_text(f"site = 'dev'\n[build]\ndev = '{dev}'\n")
    return tmp_path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = folder_of(tmp_path_factory.mktemp("site"), f"exec {sys.executable} front.py")
    (folder / "front.py").write_text(FRONT)
    running = start(folder, "dev")
    yield running
    stop(running)


def runs(pid: int) -> bool:
    """A zombie that nobody has asked after does not run."""
    asked = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return bool(asked.stdout.strip()) and not asked.stdout.strip().startswith(b"Z")


def test_functions_answer_below_their_path_and_the_front_end_everywhere_else(
    server: Running,
) -> None:
    assert server.get("/.functions/hello").data == b"hello"
    host = f"127.0.0.1:{server.port}"
    assert server.get("/a/b?c=1").data == f"page /a/b?c=1 for {host}".encode()
    assert server.get("/form", "POST", body=b"x" * 100_000).data == b"got " + b"x" * 100_000


def test_an_answer_of_the_front_end_says_that_its_connection_ends(server: Running) -> None:
    assert server.get("/a").headers["connection"] == "close"


def test_a_stream_arrives_as_it_is_sent(server: Running) -> None:
    answer = server.get("/stream", preload_content=False)
    parts = answer.stream(3)
    assert next(parts) == b"one"
    server.get("/go-on")
    assert next(parts) == b"two"


def test_an_upgraded_connection_is_passed_on_in_both_directions(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        head = b"GET /hot HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n"
        line.sendall(head + b"early\n")
        file = line.makefile("rb")
        assert file.readline().startswith(b"HTTP/1.1 101")
        while file.readline().strip():
            pass
        assert file.readline() == b"echo early\n"
        line.sendall(b"later\n")
        assert file.readline() == b"echo later\n"


def test_its_output_bears_its_name(server: Running) -> None:
    eventually(lambda: server.said("site │ "))
    assert server.said("Local")


def test_ctrl_c_ends_the_front_end_and_what_it_started(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, f"{sys.executable} front.py; true")
    (folder / "front.py").write_text(FRONT)
    running = start(folder, "dev")
    pid = int(running.get("/pid").data)
    assert stop(running) == 0
    eventually(lambda: not runs(pid))


def test_a_front_end_that_ends_is_said_and_leaves_the_functions(tmp_path: Path) -> None:
    running = start(folder_of(tmp_path, "echo broken; exit 3"), "dev")
    answer = running.get("/")
    assert answer.status == 502
    assert "echo broken" in answer.data.decode()
    eventually(lambda: "site │ broken" in running.lines)
    assert running.get("/.functions/hello").data == b"hello"
    stop(running)


def test_a_plain_site_is_served_from_its_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "")
    (folder / "about.html").write_text("about")
    (folder / "404.html").write_text("none")
    (folder / ".env").write_text("SECRET=1")
    (folder / "_headers").write_text("/about\n  X-Frame-Options: DENY\n")
    running = start(folder, "dev")
    for path, status, body in [
        ("/", 200, b"<h1>Front</h1>"), ("/about", 200, b"about"), ("/about.html", 200, b"about"),
        ("/nowhere", 404, b"none"), ("/.env", 404, b"none"), ("/jam.toml", 404, b"none"),
        ("/functions/hello.js", 404, b"none"), ("/%2e%2e/%2e%2e/etc/passwd", 404, b"none"),
    ]:  # fmt: skip
        answer = running.get(path)
        assert (path, answer.status, answer.data) == (path, status, body)
    # As behind the distribution, but for HSTS; what the site says itself stands.
    told = running.get("/").headers
    assert told["content-security-policy"] == "frame-ancestors 'self'"
    assert (told["x-content-type-options"], told["x-frame-options"]) == ("nosniff", "SAMEORIGIN")
    assert "strict-transport-security" not in told
    own = running.get("/about").headers
    assert (own["x-frame-options"], "content-security-policy" in own) == ("DENY", False)
    stop(running)


@pytest.mark.parametrize(
    ("package", "command"),
    [
        ('{"scripts": {"dev": "vite"}, "devDependencies": {"vite": "8"}}', "npm run dev"),
        ('{"devDependencies": {"vite": "8"}}', "npx vite dev"),
        ('{"devDependencies": {"astro": "5"}}', "npx astro dev"),
        ('{"dependencies": {"next": "16"}, "scripts": {"start": "next start"}}', "npx next dev"),
        ('{"dependencies": {"react-scripts": "5"}, "scripts": {"start": "x"}}', "npm run start"),
        ('{"scripts": {"build": "make", "start": "serve"}}', "npm run start"),
    ],
)
def test_the_command_is_detected_by_framework(tmp_path: Path, package: str, command: str) -> None:
    (tmp_path / "package.json").write_text(package)
    (tmp_path / "index.html").write_text("")
    (tmp_path / "jam.toml").write_text('[build]\npublish = "out"\n')
    config = load(tmp_path, None, Overrides(default_region="eu-west-1"))
    assert dev_command(config) == command


RULES = {
    "_redirects": "/old /about 301\n/list/:id /about.html 200\n/secret.html /about 302!\n",
    "_headers": "/*\n  X-All: yes\n/about\n  Cache-Control: max-age=60\n  Set-Cookie: a=1\n",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = folder_of(tmp_path_factory.mktemp("plain"), "")
    (folder / "v1.2").mkdir()
    files = {"about.html": "about", "secret.html": "secret", "404.html": "none",
             "v1.2/index.html": "dotted", "big.bin": "x" * 5_000_000, **RULES}  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
    running = start(folder, "dev")
    yield running
    stop(running)


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/old?a=1", 301, {"location": "/about?a=1", "cache-control": "no-store"}),
        ("/list/7", 200, {"x-all": "yes"}),
        ("/secret", 302, {"location": "/about"}),
        ("/about", 200, {"cache-control": "max-age=60", "set-cookie": "a=1", "x-all": "yes"}),
        ("/", 200, {"cache-control": "no-store", "x-all": "yes"}),
        ("/v1.2", 301, {"location": "/v1.2/"}),
        ("/nowhere", 404, {"cache-control": "no-store"}),
        ("/big.bin", 200, {"content-length": "5000000"}),
    ],
)
def test_a_plain_site_has_the_rules_of_a_deploy(
    plain: Running, path: str, status: int, told: dict[str, str]
) -> None:
    answer = plain.get(path, redirect=False)
    assert answer.status == status
    assert {name: answer.headers.get(name) for name in told} == told
    assert not [name for name in answer.headers if name.lower().startswith("x-jam")]


def test_a_saved_rule_counts_at_the_next_request_and_a_wrong_one_is_told(plain: Running) -> None:
    plain.write("_redirects", "/new /about 308\n")
    assert plain.get("/new", redirect=False).status == 308
    plain.write("_redirects", "/new /about 999\n")
    wrong = plain.get("/")
    assert (wrong.status, "_redirects:1" in wrong.data.decode()) == (500, True)
    eventually(lambda: plain.said("site │   _redirects:1"))
    plain.write("_redirects", RULES["_redirects"])
    assert plain.get("/old", redirect=False).status == 301
