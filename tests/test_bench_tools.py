"""What the benchmarks measure with is true: the distance, the load, the cost of a command."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.cost import costs
from bench.distance import Request, chain, depth
from bench.load import load
from bench.storage import ROOT, ended
from bench.wrk import OURS, measured

BUSY = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # the name is the standard library's
        body = b"x" * 100_000
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(params=["bench/load.py", "wrk"])
def by(request: pytest.FixtureRequest) -> str:
    """A load generator."""
    if request.param == OURS:
        return OURS
    return shutil.which("wrk") or pytest.skip("wrk is not installed")


def test_every_answer_is_read_whole_and_timed(port: int, by: str) -> None:
    found = measured(f"http://127.0.0.1:{port}/", 2, seconds=0.3, by=by)
    assert found.per_second > 10
    assert 0 < found.p50_ms <= found.p99_ms


def test_a_server_that_answers_with_errors_has_no_rate(port: int, by: str) -> None:
    with pytest.raises(ConnectionError, match=r"500|\"refused\": [1-9]"):
        measured(f"http://127.0.0.1:{port}/broken", 1, seconds=0.3, by=by)


def test_a_server_that_is_not_there_has_no_rate(by: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port = opened.getsockname()[1]
    with pytest.raises(ConnectionError):
        measured(f"http://127.0.0.1:{port}/", 1, seconds=0.3, by=by)


def test_the_proxy_adds_its_distance_to_each_round_trip_but_not_to_the_clock(port: int) -> None:
    command = [sys.executable, "-m", "bench.proxy", str(port), "0.05"]
    between = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with ended(between):
        assert between.stdout
        near = int(between.stdout.readline())
        found = load(f"http://127.0.0.1:{near}/", 1, seconds=0.5)
        clock = load(f"http://127.0.0.1:{near}/_jam/clock", 1, seconds=0.5)
    assert found.p50_ms >= 50
    assert clock.p50_ms < 50


def test_processor_time_is_that_of_the_command_and_waiting_is_none() -> None:
    with costs() as busy:
        subprocess.run([sys.executable, "-S", "-c", BUSY], check=True)
    with costs() as idle:
        time.sleep(0.3)
    assert busy.cpu >= 0.3
    assert busy.seconds >= 0.3
    assert idle.cpu < 0.1


ENTRY = "/2015-03-31/functions/entry"
FILES = "/bucket/production/releases/r1"


def request(number: int, service: str, method: str, path: str) -> Request:
    """One that is sent when the one before is answered."""
    return Request(service, method, path, "", sent=number, told=number + 0.5)


@pytest.mark.parametrize(
    ("said", "links"),
    [
        (["lambda GET /a", "s3 GET /b"], 2),
        ([f"lambda GET {ENTRY}?Qualifier=7"] * 3, 1),
        ([f"lambda GET {ENTRY}?Qualifier=7", f"lambda GET {ENTRY}?Qualifier=8"], 2),
        ([f"lambda GET {ENTRY}", f"lambda PUT {ENTRY}/code", f"lambda GET {ENTRY}"], 3),
        ([f"lambda GET {ENTRY}/aliases/live"] * 2, 2),
        ([f"s3 PUT {FILES}/a", f"s3 PUT {FILES}/b", f"s3 PUT {FILES}/~release.json"], 2),
        ([f"s3 GET {FILES}/a"] * 2, 2),
    ],
    ids=["two", "looks", "versions", "written", "alias", "files", "reads"],
)
def test_a_wait_is_one_link_of_a_chain_however_often_was_looked(
    said: list[str], links: int
) -> None:
    requests = [request(at, *each.split()) for at, each in enumerate(said)]
    assert depth(requests) == links
    assert chain(requests) == len(requests)
