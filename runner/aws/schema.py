"""The form of the records: what a newer program wrote is refused, never guessed at. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner import __version__
from runner.errors import aws_error
from runner.guard import journal

SCHEMA = journal.SCHEMA  # the last that this program knows


def check(item: Mapping[str, Any]) -> None:
    """Raises JamError `JAM-SCHEMA` for a record of a later form; one without a number is of the
    first."""
    found = int(item.get("schema", SCHEMA))
    if found <= SCHEMA:
        return
    raise aws_error(
        "JAM-SCHEMA",
        f"A record of this site was made by a newer jam-deploy: its form is number {found}, and "
        f"version {__version__} knows number {SCHEMA}. Nothing was changed.",
        hint="Use that version: the one that the site's last deploy ran with, or a later one.",
    )
