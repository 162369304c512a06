"""What `previews` says, as text and as JSON. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runner.aws.preview_records import Known
from runner.operate.previews import Previews, state
from runner.report.printable import printable

_AGES = (("d", 86400), ("h", 3600), ("min", 60))


def previews_document(found: Previews) -> dict[str, Any]:
    return {
        "site": found.site,
        "previews": [_document(each, now=found.now) for each in found.open],
    }


def _document(each: Known, *, now: float) -> dict[str, Any]:
    return {
        "number": each.number,
        "environment": each.environment,
        "state": state(each, now),
        "url": _url(each) or None,
        "release": each.release or None,
        "commit": each.origin.commit or None,
        "dirty": each.origin.dirty,
        "branch": each.origin.branch or None,
        "author": each.origin.author or None,
        "since": each.since or None,
        "age": max(0, int(now - each.pushed)),
    }


def previews_text(found: Previews) -> str:
    """A line each; what state it is in where that is not `live`."""
    if not found.open:
        return f"{found.site}: no previews."
    rows = [_row(each, now=found.now) for each in found.open]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return printable("\n".join([*lines, f"{found.site}: {len(rows)} previews"]))


def _row(each: Known, *, now: float) -> tuple[str, ...]:
    return (
        f"#{each.number}",
        _url(each) or "no address yet",
        each.origin.short or "no commit on record",
        f"by {each.origin.author}" if each.origin.author else "",
        f"since {_moment(each.since)}" if each.since else "",
        f"pushed {_age(now - each.pushed)} ago",
        "" if state(each, now) == "live" else state(each, now),
    )


def _url(each: Known) -> str:
    return f"https://{each.host}" if each.release and each.host else ""


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def _age(seconds: float) -> str:
    told = (f"{int(seconds // factor)} {unit}" for unit, factor in _AGES if seconds >= factor)
    return next(told, "a moment")
