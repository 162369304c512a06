"""A native package's build for Lambda's platform where the installed one is for another.

From the registry that npm is set to, at the version that the package asks for, into a cache. No
script runs; what the site's lock file says of a package has to be true of it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import site_error
from runner.package.functions.judge import MODULES
from runner.toolchain import Toolchain

# npm's words. Source: npm docs, "package.json", os, cpu; "npm install", libc.
CPUS = {"x86_64": "x64", "arm64": "arm64"}
_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """Fetches each set of packages once, and keeps it in `cache`."""

    cache: Path
    root: Path
    toolchain: Toolchain
    environment: Mapping[str, str] = field(repr=False)
    echo: Callable[[str], None]

    def folder(self, wanted: Mapping[str, str], architecture: str) -> Path | None:
        """A folder in whose node_modules the `wanted` packages are; None if npm has none."""
        key = json.dumps([sorted(wanted.items()), architecture])
        target = self.cache / hashlib.sha256(key.encode()).hexdigest()[:32]
        if not target.is_dir() and not self._install(wanted, architecture, target=target):
            return None
        self._compare(target, _locked(self.root))
        return target

    def _install(self, wanted: Mapping[str, str], architecture: str, *, target: Path) -> bool:
        self.echo(f"npm install {' '.join(sorted(wanted))} for Linux on {architecture}")
        self.cache.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=self.cache, prefix="installing-"))
        try:
            # npm heeds `--cpu` for optional packages alone, and is silent where they fail.
            told = {"private": True, "optionalDependencies": dict(wanted)}
            (scratch / "package.json").write_text(json.dumps(told))
            platform = ("--os=linux", f"--cpu={CPUS[architecture]}", "--libc=glibc")
            subprocess.run(
                [
                    *self.toolchain.npm,
                    "install",
                    *platform,
                    "--ignore-scripts",
                    "--install-links",
                    "--no-audit",
                    "--no-fund",
                ],
                cwd=scratch,
                env=self.toolchain.environment(self.environment),
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
            there = all((scratch / MODULES / name).is_dir() for name in wanted)
            if there and not target.is_dir():
                scratch.rename(target)
            return there
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _compare(self, folder: Path, locked: Mapping[str, tuple[str, str]]) -> None:
        for path, (version, integrity) in _packages(folder / MODULES / ".package-lock.json"):
            wanted_version, wanted = locked.get(path, (version, integrity))
            if wanted_version == version and wanted and wanted != integrity:
                shutil.rmtree(folder, ignore_errors=True)
                raise site_error(
                    "JAM-FUNCTION-DEPENDENCIES",
                    f"{path} {version} is not what package-lock.json says",
                    hint="Its digest differs: ask the registry that npm is set to.",
                )


def _locked(root: Path) -> dict[str, tuple[str, str]]:
    """Version and digest of each package in the site's lock file, by its place."""
    return dict(one for name in _LOCKS for one in _packages(root / name))


def _packages(lock: Path) -> list[tuple[str, tuple[str, str]]]:
    try:
        found = json.loads(lock.read_bytes())["packages"]
    except (OSError, ValueError, KeyError):
        return []
    return [
        (path, (str(one.get("version", "")), str(one.get("integrity", ""))))
        for path, one in found.items()
    ]
