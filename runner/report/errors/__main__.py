"""Writes docs/errors.md: `python -m runner.report.errors docs/errors.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from runner.report.errors import text

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
