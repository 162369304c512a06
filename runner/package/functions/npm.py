"""Installs the npm packages of functions where their lock file says which, and nobody did yet."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from runner.errors import site_error
from runner.toolchain import Toolchain

_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
_SECONDS = 900


def install(
    files: Iterable[Path],
    root: Path,
    *,
    toolchain: Toolchain,
    environment: Mapping[str, str],
    echo: Callable[[str], None],
) -> None:
    """Runs `npm ci` for the nearest package.json above each of `files`, up to `root`.

    Scripts run: a native package builds itself so. Raises JAM-FUNCTION-DEPENDENCIES.
    """
    packages = {_nearest(file.parent, root) for file in files}
    for folder in sorted(folder for folder in packages if folder and _is_missing(folder)):
        echo(f"npm ci in {folder.relative_to(root)}")
        _ci(folder, toolchain, environment=environment)


def is_installed(package: str, folder: Path) -> bool:
    """Whether Node finds `package` from `folder`: in a `node_modules` there or above."""
    return any((above / "node_modules" / package).exists() for above in (folder, *folder.parents))


def _nearest(folder: Path, root: Path) -> Path | None:
    for above in (folder, *folder.parents):
        if (above / "package.json").is_file():
            return above
        if above == root:
            break
    return None


def _is_missing(folder: Path) -> bool:
    """A workspace has its packages further up; an installation of any kind is left alone."""
    if (folder / "node_modules").exists() or not any((folder / lock).is_file() for lock in _LOCKS):
        return False
    try:
        wanted = json.loads((folder / "package.json").read_bytes()).get("dependencies", {})
    except (ValueError, AttributeError):
        return True  # npm says best what is wrong with it
    return not all(is_installed(name, folder) for name in wanted)


def _ci(folder: Path, toolchain: Toolchain, *, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [*toolchain.npm, "ci", "--no-audit", "--no-fund"],
        cwd=folder,
        env=toolchain.environment(environment),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise site_error(
            "JAM-FUNCTION-DEPENDENCIES",
            f"npm ci failed in {folder.name}:\n{last}",
            hint="Run `npm ci` there; package.json and package-lock.json must agree.",
        )
