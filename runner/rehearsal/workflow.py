"""A workflow's runs of the action, as GitHub's runner starts them: the event in a file, inputs as
variables, file commands for what it gives back."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.local.github import Hands
from runner.rehearsal.stage import Stage, failed

_ENTRYPOINT = Path(__file__).parents[2] / "entrypoint.py"
_FILES = ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")
_SHOWN = 2000  # characters of a failed run's log


@dataclass(slots=True)
class Workflow:
    """The workflow of one repository; its runs are numbered."""

    stage: Stage
    hands: Hands
    folder: Path
    runs: int = 0

    def run(self, event: str, payload: Mapping[str, Any], *, sha: str) -> str:
        """One run to its end; its step summary. Raises JamError where it failed."""
        self.runs += 1
        home = self.folder / f"run-{self.runs}"
        home.mkdir(parents=True)
        files = {name: home / name.lower() for name in _FILES}
        for file in files.values():
            file.touch()
        (home / "event.json").write_text(json.dumps(payload))
        done = subprocess.run(
            [sys.executable, str(_ENTRYPOINT)],
            cwd=self.stage.site,
            env={
                **self.stage.environment,
                "AWS_ENDPOINT_URL": self.stage.endpoint,
                **{name: str(file) for name, file in files.items()},
                **self._told(event, sha=sha, home=home),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr)[-_SHOWN:]
            raise failed(f"the run upon {event} ended with status {done.returncode}: {said}")
        return files["GITHUB_STEP_SUMMARY"].read_text()

    def _told(self, event: str, *, sha: str, home: Path) -> dict[str, str]:
        """Source: GitHub Actions, "Variables reference", default environment variables."""
        hub, repository = self.hands.hub, self.hands.repository
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": repository.owner,
            "GITHUB_API_URL": hub.url,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(home / "event.json"),
            "GITHUB_REPOSITORY": repository.full_name,
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_RUN_ID": str(uuid.uuid4().int % 10**10),
            "GITHUB_RUN_NUMBER": str(self.runs),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": sha,
            "GITHUB_WORKFLOW": "Deploy",
            "GITHUB_WORKFLOW_REF": f"{repository.full_name}/.github/workflows/deploy.yml@main",
            "GITHUB_WORKSPACE": str(self.stage.site),
            "INPUT_GITHUB-TOKEN": self.hands.token(),
            "INPUT_COMMENT": "true",
            "INPUT_DEPLOYMENTS": "true",
        }
