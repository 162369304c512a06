"""A bundle's source map, told from the site's root instead of from where it was written."""

from __future__ import annotations

import json
import os
from pathlib import Path

from runner.package.functions.metafile import Ours

INPUTS = "x_jam_inputs"  # a source map may have members of its own that begin with `x_`


def retell(file: Path, inputs: tuple[str, ...], *, ours: Ours) -> None:
    """Rewrites `file` with its sources told from the root, and with all `inputs` that were read: a
    constant's file may leave no trace but its value."""
    content = json.loads(file.read_bytes())
    found = [Path(os.path.normpath(file.parent / source)) for source in content["sources"]]
    content["sources"] = [
        f"jam-deploy/{source.name}" if ours.has(source) else os.path.relpath(source, ours.root)
        for source in found
    ]
    content[INPUTS] = inputs
    file.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
