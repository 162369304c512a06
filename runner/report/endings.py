"""A rollout that ended badly, as an error tells it: what took the candidate back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.errors import JamError, Turn
from runner.guard.rollout import Policy
from runner.guard.verdict import Verdict


def taken_back(told: Mapping[str, Any]) -> JamError:
    """`told` is the `rollout` member of a result whose outcome is `rolled_back`."""
    candidate = str(told.get("candidate", ""))[:8]
    if _is_inconclusive(told):
        return JamError(
            "JAM-CANARY-INCONCLUSIVE",
            f"Release {candidate} was taken back unjudged: {told.get('why')}.",
            hint="A longer `interval` or a larger `percent` in [production.rollout] shows it to "
            'more visitors; `on_inconclusive = "promote"` lets it live.',
            turn=Turn.TAKEN_BACK,
        )
    reasons = "; ".join((str(told.get("why")), *_failing(told)))
    return JamError(
        "JAM-ROLLED-BACK",
        f"Release {candidate} was taken back: {reasons}",
        hint="Visitors have what they had before. The release is kept: "
        f"`jam-deploy rollback {candidate}` would show it to everybody. `jam-deploy logs` has the "
        "lines of its functions.",
        turn=Turn.TAKEN_BACK,
    )


def _is_inconclusive(told: Mapping[str, Any]) -> bool:
    unsure = told.get("verdict") == Verdict.INCONCLUSIVE
    by_policy = told.get("on_inconclusive") == Policy.ROLLBACK
    return unsure and by_policy and "too small for a verdict" in str(told.get("why"))


def _failing(told: Mapping[str, Any]) -> Iterator[str]:
    for name, one in told.get("signals", {}).items():
        (failed, tried), (others, of) = one["candidate"], one["baseline"]
        if failed:
            yield f"{name} {failed} of {tried} failed, {others} of {of} of what was live"
