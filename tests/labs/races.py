"""Every scenario of two runs at every visible call, and engines that lack what it looks for."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.labs import crossed
from tests.labs.crossed import Complaints
from tests.labs.race import CALLS, Lab, Run, a_lab

Scenario = tuple[str, Callable[[Lab], Complaints]]
PLAYS = (crossed.parked, crossed.overtaken, crossed.killed, crossed.killed_newer)


def points() -> Iterator[Scenario]:
    """Each call, before and after it, with each way to go on; each answer, lost."""
    for at in range(1, CALLS + 1):
        for after in (False, True):
            for play in PLAYS:
                yield (
                    f"{play.__name__} {'after' if after else 'before'} call {at}",
                    lambda lab, play=play, at=at, after=after: play(lab, at=at, after=after),
                )
    for service, operation, skip in crossed.ANSWERS:
        yield (
            f"lost {service} {operation} {skip}",
            lambda lab, service=service, operation=operation, skip=skip: crossed.lost(
                lab, service=service, operation=operation, skip=skip
            ),
        )


class Unfenced(Lab):
    """Whoever looks after the lease finds that it is still theirs."""

    def hook(self, session: boto3.Session) -> None:
        taken: dict[str, Any] = {}

        def take(params: dict[str, Any], **_: object) -> None:
            values = params.get("ExpressionAttributeValues", {})
            if _is_lease(params) and ":run" in values:
                taken["owner"] = values[":owner"]

        def count(parsed: dict[str, Any], **_: object) -> None:
            if "owner" in taken and "token" not in taken and "Error" not in parsed:
                before = parsed.get("Attributes", {}).get("token", {"N": "0"})
                taken["token"] = {"N": str(int(before["N"]) + 1)}

        def still_ours(parsed: dict[str, Any], **_: object) -> None:
            if "expires" in parsed.get("Item", {}) and "token" in taken:
                parsed["Item"].update(taken)

        session.events.register("provide-client-params.dynamodb.UpdateItem", take)
        session.events.register("after-call.dynamodb.UpdateItem", count)
        session.events.register("after-call.dynamodb.GetItem", still_ours)


class Unconditional(Lab):
    """Commits, whatever stands there by now."""

    def hook(self, session: boto3.Session) -> None:
        def pass_always(params: dict[str, Any], **_: object) -> None:
            for each in params["TransactItems"]:
                for one in each.values():
                    if condition := one.get("ConditionExpression"):
                        one["ConditionExpression"] = f"({condition}) OR attribute_not_exists(never)"

        session.events.register("provide-client-params.dynamodb.TransactWriteItems", pass_always)


class Trusting(Unfenced):
    """Trusts a lease that it once had, however long ago, and no write is conditional."""

    def hook(self, session: boto3.Session) -> None:
        super().hook(session)

        def whatever(params: dict[str, Any], **_: object) -> None:
            params.pop("RevisionId", None)

        session.events.register("provide-client-params.lambda.UpdateAlias", whatever)


class Unordered(Lab):
    """Runs that do not know which of them is the newer."""

    def environment(self, run: Run) -> Mapping[str, str]:
        known = super().environment(run)
        return {name: value for name, value in known.items() if "RUN_" not in name}


class Endless(Lab):
    """Leases that nobody else ever gets."""

    def hook(self, session: boto3.Session) -> None:
        def prolong(params: dict[str, Any], **_: object) -> None:
            values = params.get("ExpressionAttributeValues", {})
            if _is_lease(params) and ":expires" in values:
                values[":expires"] = {"N": str(int(values[":expires"]["N"]) + 1_000_000)}

        session.events.register("provide-client-params.dynamodb.UpdateItem", prolong)


def _is_lease(params: dict[str, Any]) -> bool:
    return bool(params.get("Key", {}).get("sk") == {"S": "lease"})


@dataclass(frozen=True, slots=True)
class Saboteur:
    """A spoiled engine, the play by which it has to be caught, and what that has to show."""

    engine: type[Lab]
    play: Callable[[Lab], Complaints]
    shows: str

    @property
    def name(self) -> str:
        return self.engine.__name__

    def caught(self) -> str:
        """How it was caught; empty if it got away, also with a complaint of something else."""
        with tempfile.TemporaryDirectory() as folder, a_lab(Path(folder), self.engine) as lab:
            complaints = "; ".join(self.play(lab))
        return complaints if self.shows in complaints else ""


SABOTEURS = (
    Saboteur(
        Unconditional,
        lambda lab: crossed.parked(lab, at=CALLS, after=False),
        "left ('older', 'newer', 'newer')",
    ),
    Saboteur(
        Trusting,
        lambda lab: crossed.parked(lab, at=2, after=False),
        "left ('newer', ",
    ),
    Saboteur(
        Unfenced,
        lambda lab: crossed.parked(lab, at=2, after=False),
        "left ('newer', ",
    ),
    Saboteur(
        Unordered,
        lambda lab: crossed.overtaken(lab, at=CALLS, after=True),
        "left ('older', 'older', 'older')",
    ),
    Saboteur(
        Endless,
        lambda lab: crossed.killed(lab, at=3, after=False),
        "the next run ended as JAM-BUSY",
    ),
)
