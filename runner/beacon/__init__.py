"""The script that tells of errors in visitors' browsers, as shipped: at most 1 KB."""

from __future__ import annotations

import re
from pathlib import Path

LARGEST = 1024  # bytes
# No literal of the script has a space in it.
_SPACE = re.compile(r" *([=+<>&|{}(),;:?-]) *")


def script() -> bytes:
    """Without comment lines, indentation and what else only people need."""
    text = (Path(__file__).parent / "beacon.js").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    kept = (_SPACE.sub(r"\1", line) for line in lines if line and not line.startswith("//"))
    return "\n".join(kept).encode() + b"\n"
