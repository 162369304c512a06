"""The action in a container of its image, started as GitHub's runner starts one.

JAM_TEST_IMAGE names the image; the engine is whichever `docker` reaches.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

IMAGE = os.environ.get("JAM_TEST_IMAGE", "")
SOCKET = Path(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))


def kill(process: subprocess.Popen[str], home: Path) -> None:
    """Ends it as nothing can be ended more."""
    if process.poll() is None:
        if IMAGE:  # the client's death would leave the container running
            subprocess.run(["docker", "kill", home.name], check=False, capture_output=True)
        process.send_signal(signal.SIGKILL)
        process.wait()


def stop(process: subprocess.Popen[str], home: Path) -> None:
    """Asks it to end as `docker stop` does: with SIGTERM alone, and with SIGKILL 10 s later."""
    if IMAGE:
        subprocess.run(["docker", "stop", home.name], check=False, capture_output=True)
    else:
        process.terminate()


def contained(environment: Mapping[str, str], home: Path, workspace: Path) -> list[str]:
    """The command of the runner: its mounts, its folder, values from the client's environment.

    `home` is the runner's folder for what is temporary, with all others but the workspace in it.
    Source: actions/runner, `ContainerActionHandler.cs`, `DockerCommandManager.cs`.
    """
    (home / "_github_home").mkdir(exist_ok=True)
    (home / "_github_workflow").mkdir(exist_ok=True)
    event = home / "_github_workflow" / "event.json"
    Path(environment["GITHUB_EVENT_PATH"]).replace(event)
    mounts = {
        workspace: "/github/workspace",
        home / "_github_home": "/github/home",
        home / "_github_workflow": "/github/workflow",
        home / "file_commands": "/github/file_commands",
        home: "/github/runner_temp",  # the last that a path is looked up in
    }
    theirs = {"HOME": str(home / "_github_home"), "GITHUB_EVENT_PATH": str(event)}
    inside = {**environment, **theirs, "XDG_CACHE_HOME": "", "PATH": ""}
    told = {name: _within(value, mounts) for name, value in inside.items() if value}
    mounts[SOCKET] = "/var/run/docker.sock"
    post = ["--entrypoint", "/opt/jam/entrypoint.py"] if "STATE_begun" in told else []
    return [
        *("docker", "run", "--rm", "--name", home.name, "--network", "host"),
        *("--workdir", "/github/workspace", *post),
        *(word for item in told.items() for word in ("-e", "=".join(item))),
        *(word for host, path in mounts.items() for word in ("-v", f"{host}:{path}")),
        IMAGE,
    ]


def _within(value: str, mounts: Mapping[Path, str]) -> str:
    for host, path in mounts.items():
        if value == str(host) or value.startswith(f"{host}/"):
            return path + value.removeprefix(str(host))
    return value
