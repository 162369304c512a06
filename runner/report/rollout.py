"""A rollout as results, summaries and status tell it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runner.guard import journal
from runner.guard.rollout import Phase, Policy
from runner.guard.verdict import Verdict
from runner.report.curve import sparkline

if TYPE_CHECKING:
    from runner.promote import Ended

UNPROTECTED = (
    "UNPROTECTED: no alarm takes this candidate back; only the guard and a run that follows it do"
)
GUARD_SILENT = (
    "the guard was not heard for {minutes} min: a run judges in its place, while one follows"
)
_NAME = 12  # columns of a curve's name


def told_of(ended: Ended) -> dict[str, Any]:
    """The `rollout` member of a command's result."""
    told: dict[str, Any] = {"outcome": ended.outcome, "why": ended.why}
    return told if ended.record is None else told | recorded(ended.record)


def ending_of(item: journal.Item) -> dict[str, str]:
    """How a recorded rollout ended, and why; `open` while nobody has ended it."""
    outcome, why = (item.get(name, {}).get("S", "") for name in ("outcome", "why"))
    return {"outcome": outcome or "open", "why": why}


def status_lines(item: journal.Item) -> list[str]:
    """The open rollout, or the last: which candidate, what became of it, its curves."""
    told = ending_of(item) | recorded(item)
    at = f", {told['weight']:.0%} of new visitors" if told["outcome"] == "open" else ""
    return [
        f"rollout    {told['id']} of {told['candidate'][:8]}: {told['outcome']}{at}, "
        f"verdict {told['verdict']}",
        *(f"  {line}" for line in text_of(told)),
    ]


def recorded(item: journal.Item) -> dict[str, Any]:
    """A rollout's record: what it was, and all that decided.

    `signals` are failures and trials, `minutes` rows of trials and failures, candidate first.
    `weights` are pairs of a second of the epoch and the candidate's share from then on, 0 to 1.
    """
    rollout = journal.rollout_of(item["rollout"]["S"])
    evidence = journal.evidence_of(item)
    return {
        "id": rollout.id,
        "candidate": rollout.candidate,
        "baseline": rollout.baseline,
        "deployment": rollout.deployment,
        "phase": rollout.phase,
        "protected": rollout.protected,
        "on_inconclusive": rollout.policy,
        "opened": rollout.opened,
        "verdict": evidence.get("verdict", Verdict.INCONCLUSIVE),
        "weight": round(evidence.get("weight", 0.0), 4),
        "weights": evidence.get("weights", []),
        "signals": {
            name: {"candidate": [failed_c, tried_c], "baseline": [failed_b, tried_b]}
            for name, (tried_c, failed_c, tried_b, failed_b) in evidence.get("totals", {}).items()
        },
        "minutes": {
            name: [row[:4] for row in rows] for name, rows in evidence.get("minutes", {}).items()
        },
        "notes": [*rollout.notes, *_silence(item, evidence)],
    }


def _silence(item: journal.Item, evidence: Mapping[str, Any]) -> list[str]:
    """What is to be said of the guard, at the time of the last look."""
    minutes = journal.guard_silent(item, now=evidence.get("until", 0))
    return [GUARD_SILENT.format(minutes=minutes)] if minutes else []


def text_of(told: Mapping[str, Any]) -> list[str]:
    """The same for people: why it ended so, what was counted, and its curves."""
    if "id" not in told:
        return [f"rollout: {told['why']}"] if told.get("why") else []
    return [*_ending(told), *(() if told["protected"] else (UNPROTECTED,)), *_curves(told)]


def _ending(told: Mapping[str, Any]) -> Iterator[str]:
    if told.get("why"):
        yield f"rollout {told['id']}: {told['why']}"
    unsure = told["verdict"] == Verdict.INCONCLUSIVE and told["phase"] == Phase.CLOSED
    if unsure and told.get("outcome") == "live" and told["on_inconclusive"] != Policy.WAIT:
        yield (
            "INCONCLUSIVE: too few visitors to tell whether the candidate is any worse; it was "
            f'promoted because of on_inconclusive = "{told["on_inconclusive"]}"'
        )


def _curves(told: Mapping[str, Any]) -> Iterator[str]:
    sessions = told["minutes"].get("entry", [])
    if not any(row[0] + row[2] for row in sessions):
        yield "no visitor was counted"
        return
    whole = [row[0] + row[2] for row in sessions]
    candidate = [row[0] for row in sessions]
    yield _curve("sessions", whole, said=f"{sum(whole)} in {len(whole)} min")
    yield _curve("candidate", candidate, top=max(whole), said=f"{sum(candidate)} of them")
    for name, rows in told["minutes"].items():
        totals = told["signals"][name]
        if totals["candidate"][0] or totals["baseline"][0]:
            shares = [_share(row) for row in rows]
            yield _curve(name, shares, said=_compared(totals), top=1.0)


def _share(row: list[int]) -> float:
    return row[1] / row[0] if row[0] else 0.0


def _compared(totals: Mapping[str, list[int]]) -> str:
    (failed, tried), (others, of) = totals["candidate"], totals["baseline"]
    return f"{failed} of {tried} failed, {others} of {of} of what was live"


def _curve(name: str, values: list[Any], *, said: str, top: float = 0.0) -> str:
    return f"{name:{_NAME}}{sparkline(values, top=top)}  {said}"
