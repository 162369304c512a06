"""Builds the acceptor's archive: the same bytes everywhere. Pure but for reading `runner/acceptor`.

The archive is flat, as Lambda wants its handler.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from runner.package.archive import write

_HERE = Path(__file__).parent.parent / "acceptor"
_MODULES = ("acceptor.py", "signing.py")
_IMPORT = re.compile(r"^from runner\.acceptor\.(?=\w+ import )", re.MULTILINE)


def package() -> bytes:
    """The archive of the acceptor's version."""
    return write(modules())


def modules() -> dict[str, bytes]:
    """The acceptor's program, by file name."""
    return {
        name: _IMPORT.sub("from ", (_HERE / name).read_text(encoding="utf-8")).encode()
        for name in _MODULES
    }


def digest() -> str:
    """Over the program: part of what an api_stage is that hands requests to it."""
    found = hashlib.sha256()
    for name, code in sorted(modules().items()):
        found.update(f"{name}\0{hashlib.sha256(code).hexdigest()}\n".encode())
    return found.hexdigest()
