"""Builds the guard's archive: its program, and the CRT that signs writes to the KeyValueStore.

The store takes SigV4A alone, for which botocore needs awscrt, and Lambda's Python runtimes bring
none. Source: CloudFront developer guide, "Work with key value data", AWS SDKs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from runner.package.archive import Member, write
from runner.package.functions.requirements import Installer

HANDLER = "runner.guard.handler.handler"
RUNTIME, ARCHITECTURE = "python3.13", "x86_64"
# The wheel of the stable ABI of this version runs on all later ones, Lambda's and a machine's own.
_WHEEL_FOR = "python3.11"
_HERE = Path(__file__).parent.parent
_FOLDERS = ("guard",)
_BESIDE = ("__init__.py", "entry/__init__.py", "entry/counts.py")


def program() -> dict[str, bytes]:
    """The guard's own modules, by their paths in the archive."""
    return {f"runner/{path}": (_HERE / path).read_bytes() for path in sorted(_paths())}


def digest() -> str:
    """Over all that the archive is made of: 32 hex digits, known without making it."""
    found = hashlib.sha256(_requirement().encode())
    for path, content in program().items():
        found.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return found.hexdigest()[:32]


def package(installer: Installer, work: Path) -> bytes:
    """The archive: the same bytes for the same program and the same awscrt."""
    file = work / "guard" / "requirements.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{_requirement()}\n", encoding="utf-8")
    packages: Mapping[str, Member] = installer.packages(file, _WHEEL_FOR, architecture=ARCHITECTURE)
    return write({**program(), **packages})


def _requirement() -> str:
    """The version that this program itself runs with: the lock file pins it."""
    return f"awscrt=={version('awscrt')}"


def _paths() -> Iterator[str]:
    yield from _BESIDE
    for folder in _FOLDERS:
        for module in (_HERE / folder).glob("*.py"):
            yield f"{folder}/{module.name}"
