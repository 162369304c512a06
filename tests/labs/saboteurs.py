"""Engines that were spoiled on purpose, one thing each: a lab that lets one pass proves nothing.

The spoiling is in the plan, in the calls or around the run; the engine itself is the real one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from runner.decide import Decided
from runner.local.cloud import Cloud
from runner.plan.drift import Drift
from runner.plan.refs import Made, Ref
from runner.plan.releasing import (
    Activate,
    MakeApiStage,
    PutManifest,
    RecordLive,
    RecordRelease,
)
from runner.plan.retention import DAY, PIN, Retention
from runner.plan.steps import Plan
from tests.labs.crash import Account, Point, Wire
from tests.labs.experiments import (
    Bench,
    Experiment,
    Then,
    first_deploy,
    meddled,
    update,
    update_code,
    update_page,
)
from tests.labs.site import KEEPS, Commit, Site
from tests.labs.upkeep import collecting, incomplete


class RecordsLate(Site):
    """Records a release after its resources."""

    def decided(self, commit: Commit, aws: Account, **how: Any) -> Decided:
        told = super().decided(commit, aws, **how)
        late = [step for step in told.plan.stage if isinstance(step, RecordRelease)]
        stage = tuple(step for step in told.plan.stage if not isinstance(step, RecordRelease))
        known = {**told.live.known, Ref(Made.RECORD): ""}
        spoiled = replace(told.plan, stage=stage, switch=(*late, *told.plan.switch))
        return replace(told, plan=spoiled, live=replace(told.live, known=known))


class PointsEarly(Site):
    """Moves the pointer before the files are there."""

    def decided(self, commit: Commit, aws: Account, **how: Any) -> Decided:
        told = super().decided(commit, aws, **how)
        if any(isinstance(step, MakeApiStage) for step in told.plan.stage):
            return told  # new functions are tried before anything moves, and would tell
        first, others = _parted(told.plan, Activate)
        return replace(told, plan=Plan(switch=(*first, *told.plan.stage, *others)))  # type: ignore[arg-type]  # that is the sabotage


class TrustsTheRecord(Site):
    """Records first, and recovers nothing: what the record says is taken to be so.

    A drift that says nothing is there, so that the engine takes no visitor's look either.
    """

    def decided(self, commit: Commit, aws: Account, **how: Any) -> Decided:
        told = super().decided(commit, aws, **how)
        if told.live.release == told.release.id:
            live = replace(told.live, leased=False, entry_agrees=True, trailing=False)
            return replace(told, plan=Plan(), live=live, drift=Drift())
        first, others = _parted(told.plan, RecordLive)
        ready, *moves = others
        # As tidying, or the record would free the lease that these are made under.
        later: Any = (*moves, *told.plan.settle)
        return replace(told, plan=replace(told.plan, switch=(ready, *first), settle=later))


class LooksNowhere(Site):
    """Creates its API without a look whether it is there."""

    def other_account(self, wire: Wire) -> Account:
        made = super().other_account(wire)

        def nothing(parsed: dict[str, Any], **_: object) -> None:
            parsed["Items"] = []

        made.hooks.register("after-call.apigatewayv2.GetApis", nothing)
        return made


class UndoesBlindly(Site):
    """Takes away what the dead run's release names, whoever made it and uses it."""

    def deploy(self, commit: Commit, wire: Wire, **ways: Any) -> str:
        outcome = super().deploy(commit, wire, **ways)
        if outcome == "crashed":
            for function in self.release_of(commit).functions:
                self._remove(self.names.function(function.name), function.code_sha256)
        return outcome

    def _remove(self, name: str, code: str) -> None:
        versions = self.aws.functions.list_versions_by_function(FunctionName=name)["Versions"]
        for each in versions:
            if each["CodeSha256"] == code and each["Version"] != "$LATEST":
                self.aws.functions.delete_function(FunctionName=name, Qualifier=each["Version"])


class PublishesTwice(Site):
    """Updates code by one call and publishes by another, with any code in between."""

    def other_account(self, wire: Wire) -> Account:
        made = super().other_account(wire)

        def strip(params: dict[str, Any], **_: object) -> None:
            params.pop("Publish", None)
            params.pop("RevisionId", None)

        def publish(parsed: dict[str, Any], **_: object) -> None:
            name = parsed.get("FunctionName", "")
            if name:
                self.sleep(60)  # Lambda publishes nothing while an update is under way
                parsed["Version"] = made.functions.publish_version(FunctionName=name)["Version"]

        events = made.hooks
        events.register("provide-client-params.lambda.UpdateFunctionCode", strip)
        events.register_last("after-call.lambda.UpdateFunctionCode", publish)
        return made


class IgnoresPins(Site):
    """Collects what expired at once, as if every pin to it had run out."""

    def collect(self, wire: Wire, retention: Retention = KEEPS) -> str:
        super().collect(Wire(), retention)
        with _ahead(self.account(wire), PIN + DAY):
            return super().collect(wire, retention)


class KeepsTooLittle(Site):
    """Collects what retention keeps."""

    def collect(self, wire: Wire, retention: Retention = KEEPS) -> str:
        nothing = Retention(releases=0, days=0)
        super().collect(Wire(), nothing)
        with _ahead(self.account(wire), PIN + DAY):
            return super().collect(wire, nothing)


class Destroys(Site):
    """Knows when it destroys."""

    is_going = False

    def gone(self, wire: Wire) -> str:
        self.is_going = True
        return super().gone(wire)


class LeavesAKind(Destroys):
    """Destroys everything but the roles."""

    def other_account(self, wire: Wire) -> Account:
        made = super().other_account(wire)

        def none_found(parsed: dict[str, Any], **_: object) -> None:
            if self.is_going:
                parsed["Roles"] = []

        made.hooks.register("after-call.iam.ListRoles", none_found)
        return made


class LeavesWhatIsShared(Destroys):
    """The last site to go leaves what all sites of an account have together."""

    def other_account(self, wire: Wire) -> Account:
        made = super().other_account(wire)

        def none_found(parsed: dict[str, Any], **_: object) -> None:
            if self.is_going:
                parsed["CachePolicyList"]["Items"] = []

        made.hooks.register("after-call.cloudfront.ListCachePolicies", none_found)
        return made


class WritesNoManifest(Site):
    """Uploads the files of a release, but not the list of them."""

    def decided(self, commit: Commit, aws: Account, **how: Any) -> Decided:
        told = super().decided(commit, aws, **how)
        lists = [step for step in told.plan.stage if isinstance(step, PutManifest)]
        stage = tuple(step for step in told.plan.stage if not isinstance(step, PutManifest))
        made = {ref: "" for step in lists for ref in step.makes}
        live = replace(told.live, known={**told.live.known, **made})
        return replace(told, plan=replace(told.plan, stage=stage), live=live)


class GoesBackUnseen(Site):
    """Goes back without a look whether everything is there."""

    def other_account(self, wire: Wire) -> Account:
        made = super().other_account(wire)

        def found_anyway(params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]] | None:
            if not params["query_string"].get("Qualifier"):
                return None
            there = {"State": "Active", "LastUpdateStatus": "Successful"}
            return SimpleNamespace(status_code=200), {"Configuration": there}

        made.hooks.register("before-call.lambda.GetFunction", found_anyway)
        return made


@contextmanager
def _ahead(account: Account, seconds: float) -> Iterator[None]:
    """The account's own clock, a while ahead."""
    real = account.clock
    account.clock = lambda: real() + seconds
    try:
        yield
    finally:
        account.clock = real


def _parted(plan: Plan, kind: type[Any]) -> tuple[list[Any], list[Any]]:
    """The switch's steps of a kind, and the others."""
    return (
        [step for step in plan.switch if isinstance(step, kind)],
        [step for step in plan.switch if not isinstance(step, kind)],
    )


@dataclass(frozen=True, slots=True)
class Saboteur:
    """A spoiled engine, and where it has to be caught: at one of the points."""

    engine: type[Site]
    experiment: Experiment
    points: tuple[Point, ...]
    then: Then
    shows: str  # in the trouble: one of another kind proves nothing

    @property
    def name(self) -> str:
        return self.engine.__name__

    def caught(self, cloud: Cloud, folder: Path) -> str:
        """How it was caught; empty if it got away."""
        bench = Bench(cloud, folder)
        bench.measure()
        bench.close()
        bench.make = self.engine
        for point in self.points:
            try:
                found = list(self.experiment(bench, point, self.then))
            except AssertionError:
                continue  # too spoiled to deploy at all: that is not what was to be caught
            finally:
                bench.close()
            for each in found:
                if self.shows in f"{each.kind}, {each.what}":
                    return f"{point}: {each.kind}, {each.what}"
        return ""


def _after(*operations: str) -> tuple[Point, ...]:
    return tuple(Point(1, True, each) for each in operations)


def _calls(numbers: Iterable[int]) -> tuple[Point, ...]:
    return tuple(Point(each, True) for each in numbers)


_UPLOADING = tuple(Point(each, False, "upload") for each in (2, 3, 4))
_PUBLISHED = tuple(Point(each, False, "PublishVersion") for each in (1, 2))
SABOTEURS = (
    Saboteur(
        RecordsLate, update, _after("UpdateFunctionCode", "CreateStage"), Then.NEWER, "orphan"
    ),
    Saboteur(PointsEarly, update_page, _UPLOADING, Then.AGAIN, "visitors get"),
    Saboteur(
        TrustsTheRecord,
        update_code,
        _after("TransactWriteItems", "UpdateAlias"),
        Then.AGAIN,
        "visitors get",
    ),
    Saboteur(LooksNowhere, first_deploy, _after("CreateApi", "CreateStage"), Then.AGAIN, "orphan"),
    Saboteur(UndoesBlindly, update_page, _calls(range(12, 40, 5)), Then.AGAIN, "visitors get"),
    Saboteur(PublishesTwice, meddled, _PUBLISHED, Then.NEWER, "visitors get"),
    Saboteur(IgnoresPins, collecting, (Point(0),), Then.AGAIN, "who is pinned"),
    Saboteur(KeepsTooLittle, collecting, (Point(0),), Then.BACK, "rollback to a kept release"),
    Saboteur(LeavesAKind, update_page, (Point(0),), Then.DESTROY, "orphan, role"),
    Saboteur(LeavesWhatIsShared, update_page, (Point(0),), Then.DESTROY, "orphan, 1 cache policy"),
    Saboteur(WritesNoManifest, update_page, (Point(0),), Then.AGAIN, "manifest"),
    Saboteur(GoesBackUnseen, incomplete, (Point(2),), Then.BACK, "rollback to half a release"),
)
