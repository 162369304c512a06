"""What `releases --open` and `--close` say, as text and as JSON. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runner.open import Opened

_SHOWN = 8  # digits of an id


def opened_document(found: Opened) -> dict[str, Any]:
    return {
        "site": found.site,
        "release": found.release,
        "url": found.url,
        "leave": found.leave,
        "until": _moment(found).isoformat(),
        **({"local_url": found.local_url} if found.local_url else {}),
    }


def opened_text(found: Opened) -> str:
    """The address alone, so that a script or a terminal can open it."""
    return found.local_url or found.url


def opened_hint(found: Opened) -> str:
    """What a person should know before following it."""
    shown = f"Shows release {found.release[:_SHOWN]} to whoever follows it, until"
    wait = " Every edge knows it within a minute." if found.is_new else ""
    return f"{shown} {_moment(found):%H:%M} UTC or until {found.leave}.{wait}"


def closed_document(site: str) -> dict[str, Any]:
    return {"site": site, "outcome": "closed"}


def closed_text(site: str) -> str:
    return f"{site}: links to releases, and what they opened, end within a minute"


def _moment(found: Opened) -> datetime:
    return datetime.fromtimestamp(found.until, UTC)
