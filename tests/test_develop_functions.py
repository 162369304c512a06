"""The functions server from outside: what is called, what is seen, what a saved file changes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import urllib3

from tests.compute_site import eventually

KEPT = ("PATH", "HOME", "XDG_CACHE_HOME", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE")
HELLO = 'export const handler = async () => ({ statusCode: 200, body: "hello" });\n'


@dataclass
class Running:
    """A server in a process of its own, with all that it printed."""

    folder: Path
    process: subprocess.Popen[str]
    port: int = 0
    lines: list[str] = field(default_factory=list)

    def get(self, path: str, method: str = "GET", **how: object) -> urllib3.BaseHTTPResponse:
        url = f"http://127.0.0.1:{self.port}{path}"
        return urllib3.request(method, url, retries=False, timeout=60, **how)  # type: ignore[arg-type]

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def said(self, text: str) -> bool:
        return any(text in line for line in self.lines)


def start(folder: Path, command: str = "functions", **environment: str) -> Running:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", command, "--port", "0", "--json"],
        cwd=folder,
        env={**kept, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    running = Running(folder, process)
    assert process.stdout is not None
    assert process.stderr is not None
    errors = process.stderr

    def listen() -> None:
        for line in errors:
            running.lines.append(line.rstrip("\n"))

    threading.Thread(target=listen, daemon=True).start()
    running.port = json.loads(process.stdout.readline())["port"]
    return running


def stop(running: Running) -> int:
    running.process.send_signal(signal.SIGINT)
    return running.process.wait(timeout=30)


def site(folder: Path) -> Path:
    (folder / "functions").mkdir(parents=True)
    (folder / "jam.toml").write_text(
        'site = "dev"\n[functions]\nenvironment = { LEVEL = "high" }\n'
    )
    (folder / "index.html").write_text("<h1>Hello</h1>")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(site(tmp_path_factory.mktemp("site")))
    yield running
    stop(running)


def test_a_saved_a_new_and_a_removed_file_count_at_the_next_request(server: Running) -> None:
    server.write("functions/saved.js", HELLO)
    assert server.get("/.functions/saved").data == b"hello"
    server.write("functions/saved.js", HELLO.replace("hello", "changed"))
    assert server.get("/.functions/saved").data == b"changed"
    (server.folder / "functions/saved.js").unlink()
    assert server.get("/.functions/saved").status == 404


def test_a_shared_file_outside_of_the_functions_folder_counts_too(server: Running) -> None:
    server.write("src/shared.ts", 'export const word: string = "one";\n')
    code = 'import { word } from "../src/shared";\nexport const handler = async () => word;\n'
    server.write("functions/shared.ts", code)
    assert server.get("/.functions/shared").data == b"one"
    server.write("src/shared.ts", 'export const word: string = "two";\n')
    assert server.get("/.functions/shared").data == b"two"


def test_an_unchanged_function_keeps_its_process_when_another_is_saved(server: Running) -> None:
    server.write("functions/count.js", "let n = 0;\nexport const handler = async () => ++n;\n")
    server.write("functions/other.js", HELLO)
    assert server.get("/.functions/count").data == b"1"
    server.write("functions/other.js", HELLO.replace("hello", "new"))
    assert server.get("/.functions/other").data == b"new"
    assert server.get("/.functions/count").data == b"2"


def test_env_files_and_settings_reach_a_function_and_count_when_saved(server: Running) -> None:
    server.write("functions/deep/.env", "COLOUR=red\n")
    code = "export const handler = async () => `${process.env.COLOUR} ${process.env.LEVEL}`;\n"
    server.write("functions/deep/env.js", code)
    assert server.get("/.functions/deep/env").data == b"red high"
    server.write("functions/deep/.env", "COLOUR=blue\n")
    assert server.get("/.functions/deep/env").data == b"blue high"
    text = (server.folder / "jam.toml").read_text()
    server.write("jam.toml", text.replace("high", "low"))
    assert server.get("/.functions/deep/env").data == b"blue low"


def test_the_event_is_payload_2_0_with_the_route_and_its_parameters(server: Running) -> None:
    server.write("functions/echo/[id].js", "export const handler = async (event) => event;\n")
    headers = {"content-type": "text/plain", "cookie": "x=1; y=2"}
    path = "/.functions/echo/4%202?a=1&a=2&b="
    answer = server.get(path, "POST", body=b"text", headers=headers)
    event = answer.json()
    assert event["version"] == "2.0"
    assert event["routeKey"] == "ANY /.functions/echo/{id}"
    assert event["rawPath"] == "/.functions/echo/4 2"
    assert event["rawQueryString"] == "a=1&a=2&b="
    assert event["queryStringParameters"] == {"a": "1,2", "b": ""}
    assert event["pathParameters"] == {"id": "4 2"}
    assert event["cookies"] == ["x=1", "y=2"]
    assert event["body"] == "text"
    assert event["isBase64Encoded"] is False
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert event["headers"]["x-forwarded-host"] == f"127.0.0.1:{server.port}"


def test_methods_of_the_settings_are_the_only_routes(tmp_path: Path) -> None:
    folder = site(tmp_path / "site")
    (folder / "functions/only.js").write_text(HELLO)
    (folder / "jam.toml").write_text('site = "dev"\n[functions.only]\nmethods = ["POST"]\n')
    running = start(folder)
    assert running.get("/.functions/only", "POST").status == 200
    assert running.get("/.functions/only").status == 404
    stop(running)


def test_an_error_is_told_at_once_with_the_place_in_the_source(server: Running) -> None:
    code = """interface A { b: string }

export const handler = async (a: A) => {
  console.log('before');
  throw new TypeError(`no ${typeof a}`);
};
"""
    server.write("functions/bad.ts", code)
    answer = server.get("/.functions/bad")
    assert (answer.status, answer.json()) == (500, {"message": "Internal Server Error"})
    eventually(lambda: server.said("functions/bad.ts:5:"))
    assert "bad │ before" in server.lines
    assert "bad │ ERROR Invoke Error: TypeError: no object" in server.lines
    assert not server.said("client.mjs")
    assert not server.said("REPORT RequestId")


def test_python_tells_its_own_lines_and_files(server: Running) -> None:
    code = "def handler(event, context):\n    print('hi')\n    return 1 / 0\n"
    server.write("functions/snake.py", code)
    assert server.get("/.functions/snake").status == 500
    eventually(lambda: server.said('snake │   File "functions/snake.py", line 3, in handler'))
    assert "snake │ hi" in server.lines


def test_a_syntax_error_names_file_and_line_and_stops_no_other_function(server: Running) -> None:
    server.write("functions/torn.js", "export const handler = async () => {\n  return (;\n};\n")
    server.write("functions/whole.js", HELLO)
    answer = server.get("/.functions/torn")
    assert answer.status == 500
    assert "functions/torn.js:2" in answer.json()["message"]
    assert server.get("/.functions/whole").data == b"hello"
    server.write("functions/torn.js", HELLO)
    assert server.get("/.functions/torn").data == b"hello"


def test_a_function_ends_at_its_time_out(tmp_path: Path) -> None:
    folder = site(tmp_path / "site")
    code = "export const handler = () => new Promise((done) => setTimeout(done, 9000));\n"
    (folder / "functions/slow.js").write_text(code)
    (folder / "jam.toml").write_text('site = "dev"\n[functions.slow]\ntimeout = 1\n')
    running = start(folder)
    assert running.get("/.functions/slow").status == 500
    eventually(lambda: running.said("slow │ ERROR Task timed out after 1.00 seconds"))
    stop(running)


@pytest.mark.parametrize(("runtime", "status"), [("nodejs22.x", 200), ("nodejs24.x", 500)])
def test_callbacks_work_up_to_node_22_as_on_aws(tmp_path: Path, runtime: str, status: int) -> None:
    folder = site(tmp_path / "site")
    code = "exports.handler = (event, context, callback) => callback(null, 'called');\n"
    (folder / "functions/old.js").write_text(code)
    (folder / "jam.toml").write_text(f'site = "dev"\n[functions]\nruntime = "{runtime}"\n')
    running = start(folder)
    assert running.get("/.functions/old").status == status
    stop(running)


STREAM = """import { existsSync } from "node:fs";
const pause = () => new Promise((on) => setTimeout(on, 10));
export const config = { stream: true };
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const head = { statusCode: 201, headers: { "x-a": event.routeKey } };
  const out = awslambda.HttpResponseStream.from(stream, head);
  out.write("one ");
  while (event.rawQueryString && !existsSync(event.rawQueryString)) await pause();
  if (event.rawQueryString.endsWith("fail")) throw new Error("in the middle");
  out.write("two");
  out.end();
});
"""


def test_a_streaming_function_is_heard_while_it_runs(server: Running, tmp_path: Path) -> None:
    server.write("functions/stream.js", STREAM)
    signal = tmp_path / "signal"
    answer = server.get(f"/.functions/stream?{signal}", preload_content=False)
    arriving = answer.stream(1 << 16)
    assert (answer.status, answer.headers["x-a"]) == (201, "$default")
    assert next(arriving) == b"one "
    signal.touch()
    assert b"".join(arriving) == b"two"
    assert server.get("/.functions/stream", "HEAD").status == 201
    assert server.get("/.functions/stream", "POST").status == 404


def test_a_stream_that_fails_in_the_middle_is_cut(server: Running, tmp_path: Path) -> None:
    server.write("functions/stream.js", STREAM)
    signal = tmp_path / "fail"
    signal.touch()
    with pytest.raises(urllib3.exceptions.ProtocolError):
        server.get(f"/.functions/stream?{signal}")
    eventually(lambda: server.said("in the middle"))
    assert server.get("/.functions/stream").data == b"one two"


def test_functions_get_the_surrounding_credentials_and_endpoint(tmp_path: Path) -> None:
    folder = site(tmp_path / "site")
    code = """const names = ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_REGION", "SECRET"];
export const handler = async () => names.map((name) => process.env[name] ?? null);
"""
    (folder / "functions/who.js").write_text(code)
    around = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-3"}
    running = start(folder, AWS_ENDPOINT_URL="http://127.0.0.1:9", SECRET="no", **around)
    assert running.get("/.functions/who").json() == ["me", "http://127.0.0.1:9", "eu-west-3", None]
    stop(running)


def test_a_function_invokes_another_one_here(server: Running) -> None:
    code = "def handler(event, context):\n    return {'got': event['n']}\n"
    server.write("functions/callee.py", code)
    code = """import boto3, json, os
def handler(event, context):
    client = boto3.client("lambda")
    name = os.environ["JAM_FUNCTION_CALLEE"]
    called = client.invoke(FunctionName=name, Payload=json.dumps({"n": 7}))
    return json.load(called["Payload"])
"""
    server.write("functions/caller.py", code)
    with (server.folder / "jam.toml").open("a") as settings:
        settings.write('\n[functions.caller]\ninvoke = ["callee"]\n')
    assert server.get("/.functions/caller").json() == {"got": 7}


def test_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    folder = site(tmp_path / "site")
    code = "export const handler = async () => String(process.pid);\n"
    (folder / "functions/pid.js").write_text(code)
    running = start(folder)
    pid = int(running.get("/.functions/pid").data)
    assert stop(running) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_taken_port_is_an_error_of_its_own(server: Running, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runner", "functions", "--port", str(server.port), "--json"],
        cwd=site(tmp_path / "site"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "JAM-PORT-TAKEN"


def test_it_is_ready_soon(tmp_path: Path) -> None:
    """Half a second on an idle machine (bench/develop.py); here only that it does no work first."""
    began = time.monotonic()
    stop(start(site(tmp_path / "site")))
    assert time.monotonic() - began < 10


def test_a_functions_memory_is_as_set_and_its_end_says_so(tmp_path: Path) -> None:
    folder = site(tmp_path / "site")
    code = """export const handler = async (event, context) => {
  const kept = [];
  for (let n = 0; n < 400; n += 1) {
    kept.push(Buffer.alloc(1 << 20, 1));
    await new Promise((done) => setTimeout(done, 5));
  }
  return kept.length;
};
"""
    (folder / "functions/fat.js").write_text(code)
    (folder / "functions/lean.js").write_text(
        "export const handler = async (event, context) => context.memoryLimitInMB;\n"
    )
    (folder / "jam.toml").write_text('site = "dev"\n[functions]\nmemory = 128\n')
    running = start(folder)
    assert running.get("/.functions/lean").data == b"128"
    assert running.get("/.functions/fat").status == 500
    eventually(lambda: running.said("fat │ Runtime.OutOfMemory"))
    stop(running)


def test_a_sites_own_package_json_decides_nothing_about_its_functions(tmp_path: Path) -> None:
    """On Lambda there is none above a function: a site of ES modules broke them here alone."""
    folder = site(tmp_path / "site")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "functions/common.js").write_text(HELLO)
    running = start(folder)
    assert running.get("/.functions/common").data == b"hello"
    stop(running)


def test_a_renamed_function_moves_and_its_shared_folder_is_none(server: Running) -> None:
    server.write("functions/first.js", HELLO)
    server.write("functions/lib/words.js", HELLO)
    assert server.get("/.functions/first").data == b"hello"
    assert server.get("/.functions/lib/words").status == 404
    (server.folder / "functions/first.js").rename(server.folder / "functions/second.js")
    assert server.get("/.functions/first").status == 404
    assert server.get("/.functions/second").data == b"hello"


def test_a_line_break_in_a_header_makes_no_second_header(server: Running) -> None:
    told = '{ statusCode: 200, headers: { "x-a": "1\\r\\nx-b: 2" } }'
    code = f"export const handler = async () => ({told});"
    server.write("functions/broken.js", code)
    headers = server.get("/.functions/broken").headers
    assert (headers["x-a"], headers.get("x-b")) == ("1  x-b: 2", None)


def test_an_answer_larger_than_lambdas_is_none_and_is_said(server: Running) -> None:
    server.write("functions/vast.js", 'export const handler = async () => "x".repeat(7 << 20);\n')
    assert server.get("/.functions/vast").status == 500
    eventually(lambda: server.said("vast │ the result is no response: 7,340,034 bytes"))


def test_a_web_function_gets_the_address_that_was_asked(server: Running) -> None:
    code = "export default async (request) => new Response(request.url);\n"
    server.write("functions/web/[id].js", code)
    answer = server.get("/.functions/web/a%3Fb%23c%20100%25?d=%3F")
    path = "/.functions/web/a%3Fb%23c%20100%25?d=%3F"
    assert answer.data.decode() == f"http://127.0.0.1:{server.port}{path}"
