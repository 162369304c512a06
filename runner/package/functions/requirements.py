"""Python packages for Lambda's platform, installed by uv once per distinct requirements.

Wheels only: what would have to be built here would be built for this machine, not for Lambda's. A
local package is built into a wheel apart, from a copy, and has to be pure Python.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from runner.errors import JamError
from runner.package.archive import Member
from runner.package.functions.unsolved import failed
from runner.package.functions.wanted import Line, digest, exported, files, lines, unpinned
from runner.toolchain import Toolchain

# In order of precedence.
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
_SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """Installs each distinct requirements file once a run, and keeps the result in `cache`.

    `root` is the site's: files are told from there.
    """

    root: Path
    cache: Path
    toolchain: Toolchain
    environment: Mapping[str, str] = field(repr=False)
    echo: Callable[[str], None]
    _known: dict[str, Mapping[str, Member]] = field(default_factory=dict)
    _listed: dict[Path, list[Line]] = field(default_factory=dict)

    def packages(self, file: Path, runtime: str, *, architecture: str) -> Mapping[str, Member]:
        """The files of what `file` names, by path; raises JAM-FUNCTION-DEPENDENCIES."""
        platform = f"{_MACHINES[architecture]}-{_GLIBC.get(runtime, _NEWER_GLIBC)}"
        options = [
            f"--python-platform={platform}",
            f"--python-version={runtime.removeprefix('python')}",
        ]
        lines = self._lines(file)
        key = hashlib.sha256("\n".join([*options, *_told(lines)]).encode()).hexdigest()[:32]
        if key not in self._known:
            target = self.cache / key
            if names := unpinned(lines):
                told = ", ".join(names)
                self.echo(f"warning: {self._where(file)}: not pinned to a version: {told}")
            if not target.is_dir():
                self.echo(f"uv pip install -r {self._where(file)} for {platform}")
                self._install(file, target, options=options, lines=lines)
            self._known[key] = dict(_tree(target))
        return self._known[key]

    def _install(self, file: Path, target: Path, *, options: list[str], lines: list[Line]) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix="installing-"))
        try:
            listed = scratch / "requirements.txt"
            texts = [
                str(self._wheel(line.local, scratch, file=file)) if line.local else line.text
                for line in lines
            ]
            listed.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
            self._uv(
                ["pip", "install", "--only-binary=:all:", f"--python={sys.executable}"],
                [f"--target={scratch / 'packages'}", *options, "-r", str(listed)],
                file=file,
                asked=texts,
            )
            (scratch / "packages").mkdir(exist_ok=True)  # an empty list installs nothing
            if not target.is_dir():
                (scratch / "packages").rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _lines(self, file: Path) -> list[Line]:
        """What `file` asks for; of a uv.lock what it has locked."""
        if file not in self._listed:
            self._listed[file] = (
                exported(self._export(file), file) if file.name == "uv.lock" else lines(file)
            )
        return self._listed[file]

    def _export(self, file: Path) -> str:
        command = ["export", "--frozen", "--no-dev", "--no-emit-project", "--no-header"]
        return self._uv(command, ["--no-annotate"], file=file)

    def _wheel(self, package: Path, scratch: Path, *, file: Path) -> Path:
        """A local package as a wheel: built from a copy, since builds leave their files behind."""
        copy, wheels = scratch / "source" / package.name, scratch / "wheels" / package.name
        for path in files(package):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(package / path, copy / path)
        self._uv(
            ["build", "--wheel", f"--python={sys.executable}"],
            [f"--out-dir={wheels}", str(copy)],
            file=file,
        )
        (built,) = wheels.glob("*.whl")
        if not built.name.endswith("-none-any.whl"):
            message = f"{package.name} is compiled, here for another machine than Lambda's"
            raise self._failed(file, f"{message}: no usable wheels")
        return built

    def _uv(
        self, command: list[str], options: list[str], *, file: Path, asked: Sequence[str] = ()
    ) -> str:
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
            raise self._failed(file, done.stderr, platform=_platform(options), asked=asked)
        return done.stdout

    def _failed(
        self, file: Path, said: str, *, platform: str = "Lambda", asked: Sequence[str] = ()
    ) -> JamError:
        return failed(file, said, where=self._where(file), platform=platform, asked=asked)

    def _where(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()


def nearest(folder: Path, path: str) -> Path | None:
    """The requirements of the function at `path`: in its own folder or in one above it."""
    for above in (folder / path).parents:
        for name in FILES:
            if (above / name).is_file():
                return above / name
        if above == folder:
            break
    return None


def _platform(options: Iterable[str]) -> str:
    """The platform and the Python that uv was told, in a few words."""
    told = dict(option.split("=", 1) for option in options if option.startswith("--python-"))
    python = told.get("--python-version")
    return f"{told['--python-platform']}, Python {python}" if python else "Lambda"


def _told(lines: Iterable[Line]) -> Iterator[str]:
    """All that decides over the installation, wherever the site lies."""
    for line in lines:
        if line.local:
            yield f"{line.local.name} {digest(line.local)}"
        elif line.text.startswith("file:"):
            file = Path(url2pathname(urlsplit(line.text.partition(" ")[0]).path))
            yield f"{file.name} {_content(file)}"
        elif line.text.startswith("-") and Path(line.text.partition(" ")[2]).exists():
            yield _content(Path(line.text.partition(" ")[2]))
        else:
            yield line.text


def _content(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""  # uv says best what is missing


def _tree(folder: Path) -> Iterator[tuple[str, Member]]:
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(above) / name
            path = file.relative_to(folder).as_posix()
            if not _LEFT_OUT.search(path):
                yield path, (file.read_bytes(), bool(file.stat().st_mode & 0o100))
