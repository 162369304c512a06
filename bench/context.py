"""What the numbers were measured on: the machine, how busy it was, and the versions of all."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

from runner.cli.world import cache
from runner.toolchain import find

_PEERS = Path(__file__).parent / "peers"


def context() -> dict[str, object]:
    """`load` is the average over one, five and fifteen minutes, of all the machine's work."""
    return {
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "load": [round(each, 2) for each in os.getloadavg()],
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {
            "jam-deploy": version("jam-deploy"),
            "python": platform.python_version(),
            "uv": version("uv"),
            **find(cache()).versions,
        },
        "peers": _peers(),
    }


def _peers() -> dict[str, str]:
    """Each peer's pinned version; nothing of what it brings along."""
    found: dict[str, str] = {}
    for file in sorted(_PEERS.glob("*/package.json")):
        found.update(json.loads(file.read_text())["dependencies"])
    for file in sorted(_PEERS.glob("*/requirements.in")):
        wanted = file.read_text().strip()
        for line in file.with_suffix(".txt").read_text().splitlines():
            name, _, rest = line.partition("==")
            if name == wanted:
                found[name] = rest.split()[0]
    return found
