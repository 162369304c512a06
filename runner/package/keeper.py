"""Builds the keeper's archive: the same bytes everywhere. Pure but for reading `runner/keeper`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from runner.package.archive import write

_MODULE = Path(__file__).parent.parent / "keeper" / "keeper.py"


def package() -> bytes:
    """The archive of the keeper, flat, as Lambda wants its handler."""
    return write({_MODULE.name: _MODULE.read_bytes()})


def digest() -> str:
    """Over the program: part of what a foundation is."""
    return hashlib.sha256(_MODULE.read_bytes()).hexdigest()
