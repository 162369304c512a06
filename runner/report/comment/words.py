"""States, counts and amounts in words. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from runner.report.comment.row import Row, State

SIGNS = {
    State.QUEUED: "⏳",
    State.BUILDING: "🔨",
    State.READY: "✅",
    State.UNCHANGED: "✅",
    State.FAILED: "❌",
    State.REMOVED: "🧹",
    State.SUPERSEDED: "⏭️",
    State.SKIPPED: "⏭️",
    State.LIVE: "✅",
    State.OPEN: "🚦",
    State.ROLLED_BACK: "↩️",
    State.HELD: "⏸️",
}
NAMES = {
    State.QUEUED: "Queued",
    State.BUILDING: "Building",
    State.READY: "Ready",
    State.UNCHANGED: "Unchanged",
    State.FAILED: "Failed",
    State.REMOVED: "Removed",
    State.SUPERSEDED: "Superseded",
    State.SKIPPED: "Skipped",
    State.LIVE: "Live",
    State.OPEN: "Rolling out",
    State.ROLLED_BACK: "Taken back",
    State.HELD: "Staged, held",
}


def status(row: Row) -> str:
    return f"{SIGNS[row.state]} {NAMES[row.state]}"


def moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def lasted(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s"


def dollars(amount: float) -> str:
    """Two digits that say something. Without the sign: between two of them GitHub reads formulas.

    Source: docs.github.com, "Writing mathematical expressions".
    """
    if amount == 0 or amount >= 0.1:
        return f"{amount:,.2f}"
    return f"{float(f'{amount:.2g}'):.6f}".rstrip("0") if amount >= 0.0001 else "less than 0.0001"
