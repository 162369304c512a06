"""One run after the other on a lab's site, each ended by the command line's own front door.

What a failure says is read where a person and a script read it: the exit status, and the error on
standard output. What was kept is read from AWS.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from runner.aws import keyvalues, promotion, records, written
from runner.aws.holders import key_of
from runner.aws.session import Aws
from runner.cli.border import Ending, border, end
from runner.config.load import Overrides, load
from runner.deploy import release
from runner.destroy import Doom, destroy
from runner.guard import journal
from runner.guard.rollout import Rollout
from runner.local.cloud import Cloud
from runner.local.faults import Fault
from runner.plan.refs import Made
from runner.report.endings import taken_back
from runner.report.rollout import told_of
from runner.report.text import Outcome
from runner.rollback import Wish, rollback
from runner.settle import settle
from runner.world import Way, World
from tests.labs import direct
from tests.labs.crash import CALL_TAKES
from tests.labs.site import LATER, SETTINGS, Commit, Seen, Silent, Site

AT_ONCE = Way(now=True)
OVERSLEEPS = 4  # times the seconds that it was asked for
EVER = 10_000  # times: a fault that does not pass
RUN = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "octo/site",
}


class Killed(BaseException):
    """The run is gone: nothing more of it reaches AWS."""


class Quick(Aws):
    """An account whose calls are sent twice at most: pauses between uploads are real seconds.

    `hooks` happen before calls of an operation, once each; a run that is `dead` calls no more.
    """

    tries = 2

    def __init__(self, site: Site) -> None:
        self.hooks: dict[str, list[Callable[[], object]]] = {}
        self.each: Callable[[], object] = str
        self._turn = threading.RLock()
        self.dead = False
        session = direct.session(site.cloud)
        clock, endpoint = site.cloud.clock.now, site.cloud.endpoint

        def sleep(seconds: float) -> None:
            """As a loaded machine does, too long: whoever waits for minutes looks less often."""
            site.sleep(seconds * OVERSLEEPS if seconds >= 1 else seconds)

        super().__init__(session, endpoint, clock=clock, sleep=sleep, chance=lambda: 0.5)
        session.events.register_first("before-call", self._before)

    def _before(self, model: Any, **_: object) -> None:
        if self.dead:
            raise Killed
        with self._turn:  # a machine that sleeps does so with all its threads
            self.each()
            for name in (model.name, f"{model.service_model.service_name}.{model.name}"):
                if waiting := self.hooks.get(name):
                    waiting.pop(0)()

    def make(self, service: str, attempts: int, **named: Any) -> Any:
        return super().make(service, min(attempts, self.tries), **named)

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
    out, said, status, value = io.StringIO(), io.StringIO(), 0, None
    try:
        ending = Ending(as_json=True, verbose=False)
        with redirect_stdout(out), redirect_stderr(said), border(ending):
            value = act()
    except SystemExit as ended:
        status = int(ended.code or 0)
    except click.exceptions.Exit as ended:  # the result was told before, and has no error in it
        status = ended.exit_code
    except Killed:
        return Ended(status=137, code="killed")
    told = _TOLD.search(said.getvalue())
    code, message, hint = told.groups() if told else ("", "", "")
    on_stdout = json.loads(out.getvalue() or "{}").get("error", {})
    assert on_stdout in ({}, {"code": code, "message": message, "hint": hint})
    return Ended(
        status=status,
        code=code,
        message=message,
        hint=hint,
        notes=tuple(notes or ()),
        value=value,
    )


_TOLD = re.compile(r"error\[([A-Z-]+)\]: (.*)\nhint: (.*)\n", re.DOTALL)


def told(outcome: Outcome) -> Outcome:
    """As `deploy` ends."""
    if outcome.outcome == "rolled_back":
        end(taken_back(outcome.rollout or {}))
    return outcome


class Scene:
    """A site that is used again and again; commits count up.

    `stands` is the release that the last command left live and whole, if it did.
    """

    def __init__(self, cloud: Cloud, folder: Path, *, strategy: str = "all-at-once") -> None:
        self.site = Site(cloud, folder, strategy=strategy)
        self._strategy = strategy
        self.number = 0
        self.stands: Commit | None = None
        self._aws: Quick | None = None
        self.meanwhile: Callable[[], object] | None = None  # at each call of the next run
        self._hooks: dict[str, list[Callable[[], object]]] = {}

    @property
    def cloud(self) -> Cloud:
        return self.site.cloud

    def account(self) -> Quick:
        """The next run's; its clients are made once."""
        self.stands = None
        if self._aws is None:
            self._aws = Quick(self.site)
        self._aws.dead, self._aws.each = False, self.meanwhile or str
        self._aws.hooks, self._hooks = self._hooks, {}
        return self._aws

    def at(self, operation: str, act: Callable[[], object], *, skip: int = 0) -> None:
        """`act` happens before the next run's call of `operation`, after `skip` others.

        Two services have a CreateDeployment: `operation` may name its service, as in
        `codedeploy.CreateDeployment`.
        """
        self._hooks[operation] = [*([lambda: None] * skip), act]

    def kill(self, operation: str, *, skip: int = 0) -> None:
        """The next run dies over that call."""

        def die() -> None:
            assert self._aws
            self._aws.dead = True
            raise Killed

        self.at(operation, die, skip=skip)

    def commit(self, *, code: str = "") -> Commit:
        self.number += 1
        return Commit(page=str(self.number), code=code or str(self.number), number=self.number)

    def settled(self) -> Commit:
        """A release that is live and whole, after all that happened before."""
        if self.stands and self.lease() == "free":
            self.site.sleep(LATER)
            return self.stands
        return self.released()

    def released(self) -> Commit:
        """As `settled`, of a commit of its own."""
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
        ended = front_door(
            lambda: told(release(self.site.decided(commit, aws, way=way), world)),
            notes=heard.notes,
        )
        self.stands = commit if ended.outcome == "live" else None
        return ended

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

    def settle(self) -> Ended:
        heard, ended = Heard(), None

        def act() -> None:
            nonlocal ended
            ended = settle(
                self.account(),
                self.site.names,
                promote=False,
                run="a test",
                watcher=heard,  # type: ignore[arg-type]  # as above
                clock=self.cloud.clock.now,
            )
            if ended.outcome == "rolled_back" and ended.ended:
                end(taken_back(told_of(ended.ended)))

        return front_door(act, notes=heard.notes)

    def settings(self, rollout: str = "") -> None:
        """More lines of [production.rollout]."""
        root = self.site.folder / "root"
        (root / "jam.toml").write_text(f'{SETTINGS}strategy = "{self._strategy}"\n{rollout}\n')
        overrides = Overrides(site="", region="eu-central-1", default_region="")
        self.site.config = load(root, None, overrides)

    def open_rollout(self) -> Rollout:
        item = promotion.recorded(self.site.aws, self.site.names)
        assert item
        return journal.rollout_of(item["rollout"]["S"])

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

    def record(self) -> written.Environment:
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
