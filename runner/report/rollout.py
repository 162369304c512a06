"""A rollout as results tell it. Pure."""

from __future__ import annotations

from typing import Any

from runner.guard.look import counts_of
from runner.promote import Ended


def told_of(ended: Ended) -> dict[str, Any]:
    """The `rollout` member of a command's result."""
    told: dict[str, Any] = {"outcome": ended.outcome, "why": ended.why}
    if ended.last is None:
        return told
    rollout = ended.last.rollout
    return told | {
        "id": rollout.id,
        "candidate": rollout.candidate,
        "baseline": rollout.baseline,
        "deployment": rollout.deployment,
        "verdict": ended.last.seen.verdict,
        "weight": round(ended.last.weight, 4),
        "signals": counts_of(ended.last.evidence),
    }
