"""Peers, pinned by the locks in bench/peers, in the user's cache: installed once for each lock.

A folder with a package-lock.json is installed by npm, one with a requirements.txt by uv into an
environment of its own. What cannot be installed is remembered with the installer's last line.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runner.toolchain import Toolchain

LOCKS = Path(__file__).parent / "peers"
PATIENCE = 1_200  # seconds; netlify-cli alone brings more than a thousand packages


@dataclass
class Peers:
    """`absent` fills up with the peers that were asked for and are not there, and why."""

    toolchain: Toolchain
    cache: Path
    absent: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> Path | None:
        """The folder above its `node_modules`, or its Python environment."""
        lock = _lock(LOCKS / name)
        digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
        version = f"-py{sys.version_info.minor}" if lock.suffix == ".txt" else ""
        target = self.cache / f"{name}-{digest}{version}"
        if not target.is_dir():
            self._install(name, lock, target)
        return None if name in self.absent else target

    @contextlib.contextmanager
    def trying(self, name: str) -> Iterator[None]:
        """A peer that fails inside counts as absent from then on; the suite goes on."""
        try:
            yield
        except subprocess.CalledProcessError as error:
            said = (error.stderr or "").strip()
            self.absent[name] = f"ended with status {error.returncode}: {said[-300:]}"
        except (TimeoutError, ConnectionError) as error:
            self.absent[name] = str(error)

    def _install(self, name: str, lock: Path, target: Path) -> None:
        print(f"installing {name} …", file=sys.stderr, flush=True)
        self.cache.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=self.cache, prefix="installing-"))
        try:
            for command in _commands(self.toolchain, lock, scratch):
                subprocess.run(
                    command, cwd=scratch, env=self.toolchain.environment(os.environ),
                    capture_output=True, text=True, timeout=PATIENCE, check=True,
                )  # fmt: skip
            scratch.rename(target)
        except subprocess.CalledProcessError as error:
            self.absent[name] = _reason(error.stderr)
        except subprocess.TimeoutExpired:
            self.absent[name] = f"not installed within {PATIENCE} s"
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _reason(text: str) -> str:
    """The first lines: npm's last ones explain its options and name its log."""
    return " ".join(text.split("\n")[:4]).strip() or "no reason given"


def _lock(folder: Path) -> Path:
    npm = folder / "package-lock.json"
    return npm if npm.is_file() else folder / "requirements.txt"


def _commands(toolchain: Toolchain, lock: Path, folder: Path) -> list[list[str]]:
    if lock.suffix == ".json":
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(lock.parent / name, folder)
        return [[*toolchain.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]]
    uv = str(toolchain.uv)
    python = folder / "bin" / "python"
    return [
        # It moves to its place when it is whole: its scripts must not know where they were made.
        [uv, "venv", "--relocatable", "--allow-existing", "--python", sys.executable, str(folder)],
        [uv, "pip", "sync", "--require-hashes", "--python", str(python), str(lock)],
    ]
