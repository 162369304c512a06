"""Builds the site of a workspace apart and says as JSON what came of it: run in a container's look.

Usage: apart_driver.py WORKSPACE (the surrounding environment is our own).
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from runner.build.apart import Apart, Wish, builder_here
from runner.build.environment import for_build
from runner.build.house import House
from runner.build.powers import hide
from runner.config.load import Overrides, load
from runner.errors import JamError


def main(workspace: Path) -> None:
    hide()
    builder = builder_here(os.geteuid())
    assert builder
    apart = Apart(builder=builder, surrounding=os.environ)
    lines: list[str] = []
    told: dict[str, object] = {"lines": lines}
    tools = for_build(os.environ, site={}, jam_environment="t", url="", commit="")

    def variables(house: House) -> dict[str, str]:
        return {**tools, "npm_config_cache": str(house.packages)}

    config = load(workspace, None, Overrides())
    wish = Wish(
        config=config,
        commands=config.commands,
        source=nullcontext,
        environment="production",
        variables=variables,
        tools=tools,
        known={},
        parameters={},
        today=None,
    )
    try:
        release = apart.packaged(wish, echo=lines.append, stage=lambda _name: nullcontext())
        told["files"] = {it.path: it.source.read_bytes().decode("latin-1") for it in release.files}
        told["functions"] = [it.archive.read_bytes().hex() for it in release.functions]
        told["owners"] = sorted({Path(it.source).stat().st_uid for it in release.files})
    except JamError as error:
        told["error"] = f"{error.code}: {error} {error.hint}"
    told["alive"] = [
        folder.name
        for folder in Path("/proc").glob("[0-9]*")
        if folder.stat().st_uid == builder.uid
    ]
    apart.close()
    told["houses"] = [str(it) for it in Path(os.environ.get("TMPDIR", "/tmp")).glob("jam-build-*")]
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
