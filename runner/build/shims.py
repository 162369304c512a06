"""Node's own programs as commands, for builds on a machine that has none.

The wheel's `npm` is a copied link that finds nothing; these call the scripts where they lie. The
folder comes last on a build's PATH: a site that brings its own Node is built by it.
"""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

_SCRIPTS = {
    "npm": "npm/bin/npm-cli.js",
    "npx": "npm/bin/npx-cli.js",
    "corepack": "corepack/dist/corepack.js",
    # Corepack fetches the version that package.json names.
    "pnpm": "corepack/dist/pnpm.js",
    "yarn": "corepack/dist/yarn.js",
}


def shims(node: Path, cache: Path) -> Path:
    """A folder below `cache` with `node` and its companions as commands."""
    packages = node.parent.parent / "lib" / "node_modules"
    texts = {name: _script(node, packages / path) for name, path in _SCRIPTS.items()}
    texts["node"] = _script(node)
    digest = hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()[:16]
    folder = cache / f"commands-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        command = folder / name
        if not command.exists():
            scratch = folder / f".{name}"
            scratch.write_text(text)
            scratch.chmod(0o755)
            scratch.replace(command)
    return folder


def _script(*words: Path) -> str:
    return f'#!/bin/sh\nexec {shlex.join(str(word) for word in words)} "$@"\n'
