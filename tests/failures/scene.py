"""One run after the other on a lab's site, each ended by the command line's own front door.

What a failure says is read where a person and a script read it: the exit status, and the error on
standard output. What was kept is read from AWS.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3

from runner.aws import keyvalues, records
from runner.aws.leases import key_of
from runner.aws.session import Aws
from runner.cli.border import Ending, border
from runner.deploy import release
from runner.destroy import Doom, destroy
from runner.local.cloud import Cloud
from runner.local.faults import Fault
from runner.plan.refs import Made
from runner.report.text import Outcome
from runner.rollback import Wish, rollback
from runner.world import Way, World
from tests.labs.crash import CALL_TAKES
from tests.labs.site import LATER, Commit, Seen, Silent, Site

AT_ONCE = Way(now=True)
EVER = 10_000  # times: a fault that does not pass
RUN = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "octo/site",
    "GITHUB_WORKFLOW": "deploy",
}


class Quick(Aws):
    """An account whose calls are tried twice: the pauses between are real seconds."""

    def __init__(self, site: Site) -> None:
        session = boto3.Session(
            region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        clock, endpoint = site.cloud.clock.now, site.cloud.endpoint
        super().__init__(session, endpoint, clock=clock, sleep=site.sleep, chance=lambda: 0.5)

    def make(self, service: str, attempts: int, **named: Any) -> Any:
        return super().make(service, min(attempts, 2), **named)

    def counted(self) -> None:
        """Each call takes time: in no time at all a run would ask more than AWS's rates allow."""
        super().counted()
        self.sleep(CALL_TAKES)


class Heard(Silent):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended, as the outside sees it."""

    status: int
    code: str = ""
    message: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()
    value: Any = field(default=None, repr=False)

    @property
    def outcome(self) -> str:
        return self.value.outcome if isinstance(self.value, Outcome) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What must survive a failure: record, alias, store, what visitors get, the live objects."""

    release: str
    sequence: int
    alias: str
    store: str | None
    objects: frozenset[str]
    seen: Seen


def front_door(act: Callable[[], Any], *, notes: list[str] | None = None) -> Ended:
    """Runs `act` as a command does."""
    out, status, value = io.StringIO(), 0, None
    try:
        ending = Ending(as_json=True, verbose=False)
        with redirect_stdout(out), redirect_stderr(io.StringIO()), border(ending):
            value = act()
    except SystemExit as end:
        status = int(end.code or 0)
    error = json.loads(out.getvalue() or "{}").get("error", {})
    return Ended(status=status, notes=tuple(notes or ()), value=value, **error)


class Scene:
    """A site that is used again and again; commits count up."""

    def __init__(self, cloud: Cloud, folder: Path, *, strategy: str = "all-at-once") -> None:
        self.site = Site(cloud, folder, strategy=strategy)
        self.number = 0
        self._aws: Quick | None = None

    @property
    def cloud(self) -> Cloud:
        return self.site.cloud

    def account(self) -> Quick:
        """Whoever runs; its clients are made once."""
        if self._aws is None:
            self._aws = Quick(self.site)
        return self._aws

    def commit(self, *, code: str = "") -> Commit:
        self.number += 1
        return Commit(page=str(self.number), code=code or str(self.number), number=self.number)

    def settled(self) -> Commit:
        """A release that is live, after all that happened before."""
        self.cloud.faults.clear()
        self.cloud.permissions.clear()
        self.site.sleep(LATER)
        commit = self.commit()
        done = self.deploy(commit)
        assert (done.status, done.outcome) == (0, "live"), done
        return commit

    def deploy(self, commit: Commit, *, way: Way = AT_ONCE, **more: str) -> Ended:
        heard = Heard()
        world = self.world(commit, heard, **more)
        aws = self.account()
        return front_door(
            lambda: release(self.site.decided(commit, aws, way=way), world), notes=heard.notes
        )

    def world(self, commit: Commit, heard: Heard, **more: str) -> World:
        made = self.site.world(commit)
        run = RUN | {"GITHUB_RUN_ID": f"9{commit.number}"} | more
        return replace(
            made,
            environment={**made.environment, **run},
            watcher=heard,  # type: ignore[arg-type]  # it answers to every name
        )

    def rollback(self, **wish: Any) -> Ended:
        heard = Heard()
        return front_door(
            lambda: rollback(
                self.account(),
                self.site.names,
                Wish(by="ada", run="a test", **wish),
                watcher=heard,  # type: ignore[arg-type]  # as above
                clock=self.cloud.clock.now,
            )[0],
            notes=heard.notes,
        )

    def destroy(self) -> Ended:
        return front_door(
            lambda: destroy(self.account(), self.site.names, Doom(run="a test"), say=str)
        )

    @contextmanager
    def broken(self, *faults: Fault) -> Iterator[None]:
        """While it lasts these faults strike."""
        for each in faults:
            self.cloud.faults.add(each)
        try:
            yield
        finally:
            self.cloud.faults.clear()

    def kept(self) -> Kept:
        aws, names = self.site.aws, self.site.names
        there = self.record()
        prefix = f"production/releases/{there.release}/"
        listed = aws.s3.list_objects_v2(Bucket=names.bucket, Prefix=prefix).get("Contents", [])
        alias = aws.functions.get_alias(FunctionName=names.entry, Name="live")
        return Kept(
            release=there.release,
            sequence=there.sequence,
            alias=alias["FunctionVersion"],
            store=keyvalues.get(aws, there.ids[Made.STORE], key=keyvalues.LIVE),
            objects=frozenset(each["Key"] for each in listed),
            seen=self.site.visit(),
        )

    def record(self) -> records.Environment:
        found = records.read(self.site.aws, self.site.names, release="")
        assert found
        return found[0]

    def lease(self) -> str:
        """`free`; `left` by a run that ended in the middle; `held` until it runs out."""
        key: Any = key_of(self.site.names)
        found: Mapping[str, Any] = self.site.aws.records.get_item(
            TableName=self.site.names.records, Key=key, ConsistentRead=True
        ).get("Item", {})
        if "owner" not in found:
            return "free"
        return "left" if found["expires"]["N"] == "0" else "held"
