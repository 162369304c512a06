"""Where a bundler's hashed names can be believed without its manifest, by the repository.

Reads well-known files, runs nothing. A wrong yes would have browsers keep a file for a year that
changes under its name: what is not Vite's default, or might copy files there, is a no.
"""

from __future__ import annotations

import re

from runner.config.frameworks import VITE, Framework
from runner.config.repository import Repository

# Vite, "Build Options" (build.assetsDir) and "Static Asset Handling": what it processed lies in
# `assets` under a name with a hash, what lies in `public` is copied as it is.
_FOLDER = "assets"
_COPIED = f"public/{_FOLDER}"
_CHANGED = re.compile(
    r"publicDir|assetsDir|FileNames|hashCharacters|(?<![\w.$-])(?:root|lib)\b|copy", re.IGNORECASE
)
_LAST = re.compile(r"(?:^|[;&\s])vite\s+build(?:\s+[^;&|]*)?$")


def hashed_folder(repository: Repository, framework: Framework, *, script: str, text: str) -> str:
    """The folder of the build's output where names end in a hash of the contents, or nothing.

    `script` is the name of the build script and `text` its command line.
    """
    if framework.name != VITE or repository.has(_COPIED):
        return ""
    scripts = repository.package.scripts if repository.package else {}
    if script and (f"post{script}" in scripts or not _LAST.search(text.strip())):
        return ""
    config = repository.script(repository.first(framework.configs))
    return "" if _CHANGED.search(config) or _CHANGED.search(text) else _FOLDER
