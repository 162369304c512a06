"""A repository whose workflow runs the action: events in, what GitHub and a visitor see out.

The entrypoint runs as a process with the environment that GitHub's runner gives a container:
inputs as INPUT_ variables, file commands, the payload in a file. With JAM_TEST_IMAGE it runs in a
container of that image, started as the runner starts one (docs/image.md).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.aws.bootstrap import bootstrap
from runner.aws.session import connect
from runner.fetch import Answer, fetch_from
from runner.local.cloud import Cloud
from runner.local.github import Hands, Hub
from tests.action_container import IMAGE, contained, kill
from tests.action_runner import Read, read_file

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
NAME = "octo/notes"
RUNNER = 1001  # the uid that the workspace has on GitHub's machines
FILES = ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")
SETTINGS = """site = "notes"
region = "eu-central-1"
[build]
command = "sh build.sh"
publish = "public"
"""
BUILD = 'echo "built by sh"\nprintf "%s" "$(cat page.html)" > public/index.html\n'


@dataclass(frozen=True)
class Step:
    """How a step ended, as the runner knows it."""

    status: int
    log: Read
    raw: str
    outputs: Mapping[str, str]
    state: Mapping[str, str]
    summary: str
    untouched: bool  # GITHUB_ENV and GITHUB_PATH

    @property
    def errors(self) -> list[str]:
        return [each.data for each in self.log.of("error")]

    @property
    def warnings(self) -> list[str]:
        return [each.data for each in self.log.of("warning")]

    @property
    def notices(self) -> list[str]:
        return [each.data for each in self.log.of("notice")]


@dataclass
class Workplace:
    """One repository, one account, and the machine that its jobs run on."""

    cloud: Cloud
    hub: Hub
    hands: Hands
    folder: Path
    runs: int = 0
    token: str = field(default="", repr=False)
    more: dict[str, str] = field(default_factory=dict)  # of the environment
    home: Path = Path()  # of the last run
    # Of a run's environment, home and workspace the command that starts it, if not as we do.
    within: Callable[[Mapping[str, str], Path, Path], list[str]] | None = None

    def checkout(self, page: str, *, settings: str = SETTINGS) -> None:
        """The workspace of the next job."""
        work = self.workspace
        (work / "public").mkdir(parents=True, exist_ok=True)
        (work / "functions").mkdir(exist_ok=True)
        (work / "jam.toml").write_text(settings)
        (work / "build.sh").write_text(BUILD)
        (work / "page.html").write_text(page)
        (work / "functions" / "hello.mjs").write_text(
            f"export default async () => new Response({json.dumps(page)});"
        )
        if os.geteuid() == 0:  # on GitHub's machines it is not the container's root's
            for each in (work, *work.rglob("*")):
                os.lchown(each, RUNNER, RUNNER)

    @property
    def owners(self) -> set[int]:
        return {each.lstat().st_uid for each in self.workspace.rglob("*")}

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def pull(self, branch: str = "change") -> int:
        self.hands.push(branch, {"page.html": b"x"})
        return self.hands.open(branch)

    def on_pull(self, action: str, number: int, **inputs: str) -> Step:
        payload = self.hands.event("pull_request", action, number)
        return self.run("pull_request", payload, **inputs)

    def on_push(self, branch: str = "main", **inputs: str) -> Step:
        sha = self.hands.push(branch, {"page.html": b"x"})
        payload = {
            "ref": f"refs/heads/{branch}",
            "repository": self._repository(),
            "head_commit": {"message": "Change"},
        }
        return self.run("push", payload, sha=sha, **inputs)

    def by_hand(self, command: str, **inputs: str) -> Step:
        payload = {"inputs": {"command": command}, "repository": self._repository()}
        return self.run("workflow_dispatch", payload, **inputs)

    def run(self, event: str, payload: Mapping[str, Any], *, sha: str = "", **inputs: str) -> Step:
        with self.started(event, payload, sha=sha, **inputs) as (process, ended):
            out, _ = process.communicate(timeout=240)
            return ended(process.returncode, out)

    def post(self, event: str, payload: Mapping[str, Any], state: Mapping[str, str]) -> Step:
        """The step's `post`, in the same run."""
        self.runs -= 1
        states = {f"STATE_{name}": value for name, value in state.items()}
        with self.started(event, payload, more=states) as (process, ended):
            out, _ = process.communicate(timeout=60)
            return ended(process.returncode, out)

    @contextmanager
    def started(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        sha: str = "",
        more: Mapping[str, str] = {},  # never changed
        **inputs: str,
    ) -> Iterator[tuple[subprocess.Popen[str], Any]]:
        self.runs += 1
        self.home = home = self.folder / f"run-{self.runs}-{uuid.uuid4().hex[:6]}"
        (home / "file_commands").mkdir(parents=True)
        files = {name: home / "file_commands" / f"{name}_{uuid.uuid4()}" for name in FILES}
        for each in files.values():
            each.touch()
        (home / "event.json").write_text(json.dumps(payload))
        environment = {
            **self._environment(event, home),
            **{name: str(file) for name, file in files.items()},
            "GITHUB_SHA": sha or "f" * 40,
            **self.more,
            **self._inputs(inputs),
            **more,
        }
        start = self.within or (contained if IMAGE else None)
        command = start(environment, home, self.workspace) if start else None
        process = subprocess.Popen(
            command or [sys.executable, "-I", "-u", str(ROOT / "entrypoint.py")],
            cwd=self.workspace,
            env=dict(os.environ) if command else environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

        def ended(status: int, out: str) -> Step:
            return Step(
                status=status,
                log=Read().feed(out),
                raw=out,
                outputs=read_file(files["GITHUB_OUTPUT"].read_text()),
                state=read_file(files["GITHUB_STATE"].read_text()),
                summary=files["GITHUB_STEP_SUMMARY"].read_text(),
                untouched=not any(
                    files[name].read_text() for name in ("GITHUB_ENV", "GITHUB_PATH")
                ),
            )

        try:
            yield process, ended
        finally:
            kill(process, home)

    def visit(self, url: str, path: str = "/", **headers: str) -> Answer:
        return fetch_from(url, connect_to=self.cloud.endpoint)(path, headers)

    def comments(self, number: int) -> list[str]:
        found = self.hands.repository.comments.values()
        return [each.body for each in found if each.pull == number]

    def deployments(self, task: str) -> list[str]:
        """The newest status of each, oldest deployment first."""
        found = self.hands.repository.deployments.values()
        return [each.statuses[-1].state for each in found if each.task == task]

    def _repository(self) -> Any:
        number = next(iter(self.hands.repository.pulls), 0) or self.pull("first")
        return self.hands.event("pull_request", "opened", number)["repository"]

    def _inputs(self, given: Mapping[str, str]) -> dict[str, str]:
        """As the runner hands on what `with:` says, and action.yml's defaults for the rest."""
        told = {name.replace("_", "-"): value for name, value in given.items()}
        unknown = told.keys() - ACTION["inputs"].keys()
        assert not unknown, unknown
        values = {
            name: told.get(name, each.get("default", "")) for name, each in ACTION["inputs"].items()
        }
        values["github-token"] = told.get("github-token", self.token)
        return {f"INPUT_{name.upper().replace(' ', '_')}": it for name, it in values.items()}

    def _environment(self, event: str, home: Path) -> dict[str, str]:
        kept = ("PATH", "LANG", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE")
        shared = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "XDG_CACHE_HOME": str(shared),  # node's packages are fetched once a machine
            "HOME": str(home),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": "octo",
            "GITHUB_API_URL": self.hub.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(home / "event.json"),
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_REPOSITORY_ID": str(self.hands.repository.id),
            "GITHUB_RUN_ID": str(1000 + self.runs),
            "GITHUB_RUN_NUMBER": str(self.runs),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_WORKFLOW": "Deploy",
            "GITHUB_WORKFLOW_REF": f"{NAME}/.github/workflows/deploy.yml@refs/heads/main",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(home),
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }


@contextmanager
def a_workplace(
    cloud: Cloud, hub: Hub, folder: Path, *, private: bool = True
) -> Iterator[Workplace]:
    """Ends with the proof that GitHub might have answered so."""
    cloud.reset()
    hub.reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        aws = connect(
            region="eu-central-1",
            endpoint=cloud.endpoint,
            clock=cloud.clock.now,
            sleep=cloud.clock.sleep,
            chance=lambda: 0.5,
        )
        bootstrap(aws, lambda _line: None)
    hands = Hands.on(hub, NAME, private=private)
    made = Workplace(cloud, hub, hands, folder)
    made.token = hands.token()
    made.checkout("<h1>One</h1>")
    yield made
    assert hub.defects == []
