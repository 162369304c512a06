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


def kill(process: subprocess.Popen[str], home: Path) -> None:
    """Ends it as nothing can be ended more."""
    if process.poll() is None:
        if IMAGE:  # the client's death would leave the container running
            subprocess.run(["docker", "kill", home.name], check=False, capture_output=True)
        process.send_signal(signal.SIGKILL)
        process.wait()


def contained(environment: Mapping[str, str], home: Path, workspace: Path) -> list[str]:
    """The command of the runner: its mounts, its folder, values from the client's environment.

    Source: actions/runner, `ContainerActionHandler.cs`, `DockerCommandManager.cs`.
    """
    mounts = {workspace: "/github/workspace", home: "/github/home"}
    inside = {**environment, "XDG_CACHE_HOME": "", "PATH": ""}
    told = {name: _within(value, mounts) for name, value in inside.items() if value}
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
