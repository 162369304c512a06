"""Where a folder of ours is on the engine's machine: elsewhere, if we are in a container ourselves.

The engine is asked what it mounted into us; nothing is guessed from variables. Sources: Docker
Engine API, "Inspect a container", Mounts; proc(5), mountinfo.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path, PurePosixPath
from typing import Any

from runner.errors import site_error

_MOUNTS = Path("/proc/self/mountinfo")
# The engine mounts a container's hosts file from a folder of the container's name.
_OWN = re.compile(r"/containers/([0-9a-f]{64})/")


def on_host(client: Any, folder: Path) -> str:
    """`folder` as the engine knows it; raises JAM-BUILD-ENGINE where it cannot reach it.

    An engine that does not know us is on our own machine; where it is not, it refuses the folder.
    """
    mounts = _own_mounts(client)
    if mounts is None:
        return str(folder)
    fitting = [it for it in mounts if folder.is_relative_to(it["Destination"])]
    if not fitting:
        raise site_error(
            "JAM-BUILD-ENGINE",
            f"build.image: the engine cannot reach {folder}, which lies in this container alone.",
            hint="Run the action as GitHub does: RUNNER_TEMP is a folder of the machine's there.",
        )
    mount = max(fitting, key=lambda it: len(it["Destination"]))
    return str(PurePosixPath(mount["Source"]) / folder.relative_to(mount["Destination"]))


def _own_mounts(client: Any) -> list[dict[str, str]] | None:
    """Those of the container that we are; its host name is its number, unless somebody set one."""
    import docker

    told = _OWN.search(_MOUNTS.read_text()) if _MOUNTS.exists() else None
    for name in (told[1] if told else "", socket.gethostname()):
        if name:
            try:
                mounts: list[dict[str, str]] = client.containers.get(name).attrs["Mounts"]
            except docker.errors.NotFound:
                continue
            return mounts
    return None
