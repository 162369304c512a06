"""Python packages for Lambda's platform, installed by uv once per distinct requirements.

Wheels only: what would have to be built here would be built for this machine, not for Lambda's.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import Problem, site_error
from runner.package.archive import Member
from runner.toolchain import Toolchain

# In order of precedence; uv reads the dependencies of a pyproject.toml like requirements.
FILES = ("requirements.txt", "uv.lock", "pyproject.toml")
# Amazon Linux 2023 has glibc 2.34, Amazon Linux 2 (up to Python 3.11) has 2.26.
# Source: Lambda developer guide, "Lambda runtimes"; AL2023 user guide, "glibc".
_GLIBC = {"python3.11": "manylinux2014"}
_NEWER_GLIBC = "manylinux_2_34"
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Scripts for a shell that Lambda has not, and uv's notes of when and whence it installed.
_LEFT_OUT = re.compile(
    r"^bin/|^\.lock$|(^|/)__pycache__/|\.pyc$"
    r"|^[^/]+\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json)$"
)
_INCLUDE = re.compile(r"^\s*(?:-r|-c|--requirements?|--constraints?)[ =]\s*(\S+)", re.MULTILINE)
_SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """Installs each distinct requirements file once a run, and keeps the result in `cache`."""

    cache: Path
    toolchain: Toolchain
    environment: Mapping[str, str] = field(repr=False)
    echo: Callable[[str], None]
    _known: dict[str, Mapping[str, Member]] = field(default_factory=dict)

    def packages(self, file: Path, runtime: str, *, architecture: str) -> Mapping[str, Member]:
        """The files of what `file` names, by path; raises JAM-FUNCTION-DEPENDENCIES."""
        platform = f"{_MACHINES[architecture]}-{_GLIBC.get(runtime, _NEWER_GLIBC)}"
        options = [
            f"--python-platform={platform}",
            f"--python-version={runtime.removeprefix('python')}",
        ]
        key = hashlib.sha256("\n".join([*options, *_texts(file)]).encode()).hexdigest()[:32]
        if key not in self._known:
            target = self.cache / key
            if not target.is_dir():
                self.echo(f"uv pip install -r {file.parent.name}/{file.name} for {platform}")
                self._install(file, target, options=options)
            self._known[key] = dict(_tree(target))
        return self._known[key]

    def _install(self, file: Path, target: Path, *, options: list[str]) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix="installing-"))
        try:
            self._uv(
                ["pip", "install", "--only-binary=:all:", f"--python={sys.executable}"],
                [f"--target={scratch / 'packages'}", *options, "-r", self._listed(file, scratch)],
                file=file,
            )
            (scratch / "packages").mkdir(exist_ok=True)  # an empty list installs nothing
            if not target.is_dir():
                (scratch / "packages").rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _listed(self, file: Path, scratch: Path) -> str:
        """`file`, or what a uv.lock says in the form of requirements."""
        if file.name != "uv.lock":
            return file.name
        exported = scratch / "requirements.txt"
        self._uv(
            ["export", "--frozen", "--no-dev", "--no-emit-project", "--no-header"],
            [f"--output-file={exported}"],
            file=file,
        )
        return str(exported)

    def _uv(self, command: list[str], options: list[str], *, file: Path) -> None:
        done = subprocess.run(
            [str(self.toolchain.uv), *command, *options, "--quiet", "--color=never"],
            cwd=file.parent,
            env={**self.environment},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise _failed(file, done.stderr.strip())


def nearest(folder: Path, path: str) -> Path | None:
    """The requirements of the function at `path`: in its own folder or in one above it."""
    for above in (folder / path).parents:
        for name in FILES:
            if (above / name).is_file():
                return above / name
        if above == folder:
            break
    return None


def _texts(file: Path, above: tuple[Path, ...] = ()) -> Iterator[str]:
    """The file and what it includes: all that decides over the installation."""
    text = file.read_text(encoding="utf-8", errors="replace")
    yield f"{file.name}\n{text}"
    for included in _INCLUDE.findall(text):
        other = (file.parent / included).resolve()
        if other.is_file() and other not in above:
            yield from _texts(other, (*above, other))


def _tree(folder: Path) -> Iterator[tuple[str, Member]]:
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(above) / name
            path = file.relative_to(folder).as_posix()
            if not _LEFT_OUT.search(path):
                yield path, (file.read_bytes(), bool(file.stat().st_mode & 0o100))


def _failed(file: Path, message: str) -> Exception:
    line = _line(file, message)
    where = f"{file.parent.name}/{file.name}" + (f":{line}" if line else "")
    return site_error(
        "JAM-FUNCTION-DEPENDENCIES",
        "Python packages cannot be installed for Lambda",
        hint="Only packages with wheels for Linux can be installed; pin a version that has them.",
        problems=(Problem(where=where, message=message),),
    )


def _line(file: Path, message: str) -> int:
    """The first line whose package the message names; 0 if there is none."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        name = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
        if name and re.search(rf"\b{re.escape(name[1])}\b", message, re.IGNORECASE):
            return number
    return 0
