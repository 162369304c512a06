"""Functions behind the handler that reads their secrets, run from their archives."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from tests.functions_site import package, site, toolchain

SOURCES = {
    "a.ts": "const key = process.env.KEY; export const handler = async () => key;",
    "b.py": "import os\nKEY = os.environ['KEY']\ndef handler(event, context): return KEY\n",
}
SECRET = FunctionSettings(secrets=(("KEY", "/a/key"),))
SETTINGS = FunctionsSettings(named={"a": SECRET, "b": SECRET})
RUN = {
    "a": 'import("./jam_secrets.mjs").then((m) => m.handler()).then((v) => console.log(v))',
    "b": "import sys; sys.path.insert(0, ''); import jam_secrets as m; print(m.handler({}, None))",
}


class Store(HTTPServer):
    """Parameter Store as far as a start needs it: `answers` are given one after another."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, dict]] = []
        self.asked: list[dict] = []


class Handler(BaseHTTPRequestHandler):
    server: Store

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append({**json.loads(body), "signed": headers, "body": body})
        status, answer = self.server.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return package(site(tmp_path_factory.mktemp("site"), SOURCES), SETTINGS)


def start(functions: dict, name: str, *, store: Store, folder: Path, **more: str):
    with zipfile.ZipFile(functions[name].archive) as archive:
        archive.extractall(folder)
    program = [str(toolchain().node), "-e"] if name == "a" else [sys.executable, "-I", "-c"]
    environment = {
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{store.server_port}",
        **more,
    }
    return subprocess.run(
        [*program, RUN[name]], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


FOUND = (200, {"Parameters": [{"Name": "/a/key", "Value": "open"}], "InvalidParameters": []})
NONE = (200, {"Parameters": [], "InvalidParameters": ["/a/key"]})
SLOWER = (400, {"__type": "ThrottlingException", "message": "Rate exceeded"})
DENIED = (400, {"__type": "AccessDeniedException", "Message": "not authorized"})


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("answers", [[FOUND], [SLOWER, (500, {}), FOUND]])
def test_a_function_has_its_secret_when_it_loads(
    functions: dict, store: Store, tmp_path: Path, *, name: str, answers: list
) -> None:
    store.answers = list(answers)
    done = start(functions, name, store=store, folder=tmp_path)
    assert done.stdout.strip() == "open", done.stderr
    asked = store.asked[0]
    assert (asked["Names"], asked["WithDecryption"]) == (["/a/key"], True)
    assert asked["signed"]["authorization"] == by_botocore(asked["signed"], asked["body"])


def by_botocore(headers: dict[str, str], body: bytes) -> str:
    """The same request, signed by AWS's own library."""
    credentials = Credentials("key", "secret", "token")
    named = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(
        method="POST",
        url=f"http://{headers['host']}/",
        data=body,
        headers={name: headers[name] for name in named},
    )
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(credentials, "ssm", "eu-central-1")
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    scope = signer.credential_scope(request)
    told = f"Credential=key/{scope}, SignedHeaders={';'.join(named)}, Signature={signature}"
    return f"AWS4-HMAC-SHA256 {told}"


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize(
    ("answer", "message"),
    [(NONE, "There is no parameter for KEY (/a/key)"), (DENIED, "Parameter Store refuses /a/key")],
)
def test_a_secret_that_cannot_be_had_is_named_and_the_function_does_not_start(
    functions: dict, store: Store, tmp_path: Path, *, name: str, answer: tuple, message: str
) -> None:
    store.answers = [answer]
    done = start(functions, name, store=store, folder=tmp_path)
    assert done.returncode != 0
    assert message in done.stderr


@pytest.mark.parametrize("name", ["a", "b"])
def test_what_is_set_already_is_not_asked_for(
    functions: dict, store: Store, tmp_path: Path, name: str
) -> None:
    done = start(functions, name, store=store, folder=tmp_path, KEY="mine")
    assert done.stdout.strip() == "mine", done.stderr
    assert store.asked == []


def test_a_secret_takes_the_place_of_the_same_name_in_env_files(tmp_path: Path) -> None:
    found = package(site(tmp_path, {**SOURCES, ".env": "KEY=for-developing\nOTHER=1"}), SETTINGS)
    assert found["a"].environment == (("OTHER", "1"),)
    assert found["a"].grants.secrets == (("KEY", "/a/key"),)
