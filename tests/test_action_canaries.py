"""A pull request written to steal, steer, escape or deface: it does none of it."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import socket
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from runner.fetch import fetch_from
from runner.local.cloud import Cloud
from runner.local.github import Hub
from tests import hostile_build
from tests.action_site import RUNNER, SETTINGS, Step, Workplace, a_workplace
from tests.container_look import GITHUB, ROOT, inside, needs_namespaces
from tests.test_comment import OURS, seen

pytestmark = needs_namespaces
SECRETS = (
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    *("ACTIONS_RUNTIME_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "NPM_TOKEN", "NODE_AUTH_TOKEN"),
    *("SLACK_WEBHOOK", "STRIPE_KEY", "DATABASE_URL", "SENTRY_AUTH_TOKEN", "DOCKER_PASSWORD"),
    *("SSH_PRIVATE_KEY", "PGPASSWORD", "VAULT_TOKEN", "CLOUDFLARE_API_TOKEN", "NETLIFY_TOKEN"),
    *("TWILIO_AUTH_TOKEN", "RAILS_MASTER_KEY"),
)
FILES = (
    *(".aws/credentials", ".netrc", ".npmrc", ".docker/config.json", ".git-credentials"),
    *("git-credentials.config", "_runner_file_commands/other_step"),
)
IN_WORKSPACE = (".git/config", ".git/modules/a/config", "gha-creds-1.json")

# A branch may be called so: git check-ref-format(1) forbids spaces, `[` and `:` alone of these.
BRANCH = "x;$(id)`id`|<img/src=x>@octo/#1--><b>%0A"
TITLE = (
    "::error::title\r::set-env name=A::b\n##[add-mask]e [x](https://evil.example) @octo #1 "
    "<img src=https://evil.example/x> --><!-- jam-deploy:rows [] --> \u202e\x1b]0;t\x07"
)
# Of published files; each is one more page that the comment and the summary name.
PAGES = (
    *("::set-output name=url::https:evil.example.html", "##[error]x.html", "a\r::error::b.html"),
    *("<img src=x onerror=alert(1)>.html", "@octo #1 ![x](y).html", "-->|`x`|.html"),
    *("\u202elmth.exe.html", "${{ github.token }}.html"),
)


def canary(place: str) -> str:
    return f"canary-{base64.b32encode(place.encode()).decode().strip('=').lower()}"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=12.0) as found:  # a slow machine must not look like a busy account
        yield found


@pytest.fixture
def at(cloud: Cloud, tmp_path: Path) -> Iterator[Workplace]:
    with (
        Hub(now=time.time, sleep=lambda _: None) as hub,
        a_workplace(cloud, hub, tmp_path, private=False) as found,
        _an_engine(tmp_path / "run"),
    ):
        found.more = {name: canary(name) for name in SECRETS}
        found.within = within
        yield found


def test_thirty_canaries_and_sixteen_probes_bring_nothing_home(at: Workplace) -> None:
    _prepare(at)
    at.hands.push(BRANCH, {"page.html": b"x"})
    step = at.on_pull("opened", number := at.hands.open(BRANCH, title=TITLE))
    assert step.status == 0, step.raw
    url = step.outputs["url"]
    probes = json.loads(at.visit(url, "/probes.json").body)
    assert probes.pop("packagers seen") == 1  # so the probes do look where there is something
    assert len(probes) >= 15
    assert {name: count for name, count in probes.items() if count} == {}
    assert at.visit(url).body == b"<h1>as built</h1>"  # whoever stayed is gone

    texts = {
        "log": step.raw,
        "comment": "".join(at.comments(number)),
        "summary": step.summary,
        "outputs": json.dumps(dict(step.outputs)),
        **everything(at.cloud),
    }
    assert len(texts) > 10
    planted = [canary(each) for each in (*SECRETS, *FILES, *IN_WORKSPACE, "event")]
    assert len(planted) >= 30
    assert [
        (name, each) for name, text in texts.items() for each in planted if found_in(each, text)
    ] == []
    _steered_nothing(at, step, number)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (
            SETTINGS.replace("sh build.sh", "cat hostile; exit 3"),
            "JAM-BUILD",
        ),
        (SETTINGS + "[build.environment]\nA = 'env:AWS_SECRET_ACCESS_KEY'\n", "JAM-SETTINGS"),
        (SETTINGS + f"[{json.dumps(TITLE, ensure_ascii=True)}]\n", "JAM-SETTINGS"),
        (SETTINGS.replace('"public"', '"../.."'), "JAM-SETTINGS"),
    ],
    ids=["an error's words", "a secret by its name", "settings' words", "a folder above"],
)
def test_what_fails_says_so_and_no_word_of_it_does_anything(
    at: Workplace, settings: str, code: str
) -> None:
    at.checkout("<h1>One</h1>", settings=settings)
    (at.workspace / "hostile").write_text(TITLE + "\n" + "\n".join(PAGES))
    for name in IN_WORKSPACE:
        _plant(at.workspace / name, canary(name))
    for each in at.workspace.rglob("*"):
        os.lchown(each, RUNNER, RUNNER)
    at.hands.push(BRANCH, {"page.html": b"x"})
    step = at.on_pull("opened", number := at.hands.open(BRANCH, title=TITLE))
    assert step.status == 2, step.raw
    assert code in {each.properties["title"] for each in step.log.of("error")}
    assert code in at.comments(number)[0]
    told = (step.raw, step.summary, *at.comments(number), json.dumps(dict(step.outputs)))
    assert not [each for each in SECRETS if any(found_in(canary(each), text) for text in told)]
    _steered_nothing(at, step, number, also={"error"})


def _steered_nothing(
    at: Workplace, step: Step, number: int, also: AbstractSet[str] = frozenset()
) -> None:
    """What stands in lines, names and titles gives no order and shows nothing but itself."""
    assert step.untouched
    assert {each.name for each in step.log.commands} <= {
        *("group", "endgroup", "stop-commands", "add-mask", "notice", "warning", "debug"), *also
    }  # fmt: skip
    assert "e" not in step.log.masks
    assert "\x1b" not in step.raw
    assert "evil" not in json.dumps(dict(step.outputs))
    assert (at.workspace / ".git/config").read_text() == canary(".git/config")
    assert at.owners == {RUNNER}
    (comment,) = at.comments(number)
    ours = (
        step.outputs.get("url") or "https://github.com/octo/notes",
        "https://github.com/octo/notes",
    )
    for text in (comment, step.summary):
        shown = seen(text)
        assert set(shown.tags) <= OURS
        assert shown.attributes <= {"href", "open"}
        assert [each for each in shown.links if not each.startswith(ours)] == []
        assert not re.search(r"@octo|#1|evil\.example|\$\{\{", shown.outside)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b\r]", text)


def _prepare(at: Workplace) -> None:
    """Secrets in the workspace, and the hostile site."""
    arguments = [
        *(f"{GITHUB}/workspace", f"{GITHUB}/home", f"{GITHUB}/home", "/var/run/docker.sock"),
        *(str(ROOT / "runner/build/child.py"), f"{GITHUB}/home/event.json"),
        *(f"{GITHUB}/home/{name}" for name in FILES),
        f"$(ls {GITHUB}/home/file_commands/*)",
    ]
    hostile_build.settle(
        at.workspace,
        SETTINGS.replace("sh build.sh", f"python3 probe.py {' '.join(arguments)}"),
    )
    for name in PAGES:
        (at.workspace / "public" / name).write_text("<p>")
    for name in IN_WORKSPACE:
        _plant(at.workspace / name, canary(name))
    for each in at.workspace.rglob("*"):
        os.lchown(each, RUNNER, RUNNER)


def within(environment: Mapping[str, str], home: Path, workspace: Path) -> list[str]:
    """A run in a container's look, with more secrets where the runner has its own."""
    for name in FILES:
        _plant(home / name, f"[other]\naws_secret_access_key = {canary(name)}\n")
    event = json.loads((home / "event.json").read_text())
    (home / "event.json").write_text(json.dumps({**event, "secret": canary("event")}))
    for each in (home, *home.rglob("*")):
        os.lchown(each, RUNNER, RUNNER)
    places = {GITHUB / "workspace": workspace, GITHUB / "home": home}
    mounts = {**places, Path("/run"): home.parent / "run"}
    told = {**environment, "XDG_CACHE_HOME": f"{GITHUB}/home/.cache"}
    for inner, outer in places.items():
        told = {name: value.replace(str(outer), str(inner)) for name, value in told.items()}
    entry = [sys.executable, "-I", "-u", str(ROOT / "entrypoint.py")]
    pairs = [f"{name}={value}" for name, value in told.items()]
    # Not before the shell in there, which drops names that it cannot spell (INPUT_GITHUB-TOKEN).
    return inside(["env", "-i", *pairs, *entry], mounts, home.parent / "scratch")


def _plant(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o644)


@contextmanager
def _an_engine(folder: Path) -> Iterator[None]:
    """Who listens on docker.sock, and is open to everybody, as on many runners of one's own."""
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(folder / "docker.sock"))
        (folder / "docker.sock").chmod(0o666)
        engine.listen()
        yield


def found_in(secret: str, text: str) -> bool:
    """Plain, or as the probe disguises what it found."""
    forms = (secret, secret[::-1], secret.encode().hex())
    return any(form in text for form in forms)


def everything(cloud: Cloud) -> dict[str, str]:
    """All that the account holds, as text: objects, records, the files in archives."""
    found: dict[str, str] = {}
    s3, tables, functions = (_client(cloud, name) for name in ("s3", "dynamodb", "lambda"))
    for bucket in s3.list_buckets()["Buckets"]:
        for item in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
            body = s3.get_object(Bucket=bucket["Name"], Key=item["Key"])["Body"].read()
            found[f"s3:{item['Key']}"] = body.decode("latin-1")
    for table in tables.list_tables()["TableNames"]:
        found[f"table:{table}"] = repr(tables.scan(TableName=table)["Items"])
    for function in functions.list_functions()["Functions"]:
        told = functions.get_function(FunctionName=function["FunctionName"])
        archive = fetch_from(told["Code"]["Location"], connect_to=cloud.endpoint)("", {}).body
        found[f"function:{function['FunctionName']}"] = repr(told) + "".join(
            content.decode("latin-1") for content in _members(archive)
        )
    return found


def _members(archive: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for name in opened.namelist():
            yield opened.read(name)


def _client(cloud: Cloud, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]  # the service's name is not a literal
        service,
        region_name="eu-central-1",
        endpoint_url=cloud.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
