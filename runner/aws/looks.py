"""Looks at everything that a site should have, against its records. Reads only.

Foundation and what follows a release are looked at by the steps that make them (withheld.py);
versions, files and pointers, which no step may compare, are read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from typing import Any

from runner.apply import Known
from runner.aws import (
    background,
    functions,
    keyvalues,
    looks_at_files,
    looks_at_pointers,
    records,
    roles,
    routings,
)
from runner.aws.api import has_stage
from runner.aws.kept import missing_version
from runner.aws.looks_at_foundation import FoundationLook
from runner.aws.means import Content
from runner.aws.perform import performer
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.withheld import Reader
from runner.aws.written import Environment, Recorded
from runner.errors import JamError
from runner.model import Function
from runner.names import Names
from runner.plan.background import PutSchedule
from runner.plan.definition import release_of
from runner.plan.drift import Drift, Finding, State, finding, merged, refused, routing_key
from runner.plan.foundation import ENTRY
from runner.plan.groundwork import Foundation
from runner.plan.inventory import What
from runner.plan.refs import Made, Ref
from runner.plan.releasing import TendFunction
from runner.plan.steps import Step
from runner.together import at_once

LOOKS = 8  # at once


def _nothing(*_: object, **__: object) -> Any:
    raise AssertionError("a look brings nothing")


CONTENT: Any = Content(**dict.fromkeys((each.name for each in fields(Content)), _nothing))
Look = Callable[[], Iterator[Finding]]


def drift(aws: Aws, names: Names, *, foundation: Foundation, recorded: Recorded) -> Drift:
    """Everything of `foundation` and of the live release that is not as recorded."""
    look = _Look(aws, names, foundation=foundation, recorded=recorded)
    with explained():
        return look.all()


def drift_of(aws: Aws, names: Names, *, foundation: Foundation) -> Drift:
    """The same, by the records as they are now; nothing where nothing is live."""
    with explained():
        found = records.read(aws, names, release="")
        live = found[0].release if found else ""
        if not live:
            return Drift()
        there, staged = records.read(aws, names, release=live) or (Environment(), None)
    if staged is None or not staged.definition:
        gone = Finding(kind="record", name=f"of release {live[:8]}", state=State.MISSING)
        return Drift(findings=(gone,), functions=frozenset(there.functions))
    return drift(aws, names, foundation=foundation, recorded=Recorded(there=there, staged=staged))


class _Look:
    """One look at what a release stands on, at itself, and at what leads visitors to it."""

    def __init__(
        self, aws: Aws, names: Names, *, foundation: Foundation, recorded: Recorded
    ) -> None:
        self._aws = aws
        self._names = names
        self._reader = Reader(aws)
        self._unkept: set[str] = set()  # functions whose failures go nowhere any more
        self._unrouted: tuple[str, ...] = ()
        self._foundation = foundation
        self._there, self._staged = recorded.there, recorded.staged
        self._manifest = looks_at_files.manifest(aws, names, release=recorded.there.release)
        self._release = release_of(
            recorded.there.release, recorded.staged.definition, self._manifest or {}
        )
        self._perform = performer(
            self._reader.aws,
            names,
            release=self._release,
            foundation=foundation,
            content=CONTENT,
        )
        self._ground = FoundationLook(
            aws,
            names,
            foundation=foundation,
            recorded=recorded,
            reader=self._reader,
            perform=self._perform,
        )

    def all(self) -> Drift:
        with at_once(LOOKS, name="look") as pool:
            versions = dict(pool.map(self._version, (ENTRY, *self._staged.functions)))
            files = pool.submit(self._files)
            made, known = self._ground.all(pool)
            rest = (*self._roles(), *self._followers(known), *self._pointers(known))
            findings = [
                each for some in pool.map(lambda look: tuple(look()), rest) for each in some
            ]
            gone, other = files.result()
        lost = {name: found for name, found in versions.items() if found}
        stages, told = self._stage(known, lost=frozenset(lost))
        every = (*made, *lost.values(), *told, *gone, *findings)
        absent = {each.name.partition(":")[0] for each in lost.values()}
        return Drift(
            findings=merged(
                tuple(one for one in every if not (one.is_unseen and one.name in absent))
            ),
            functions=(frozenset(lost) | self._unkept) - {ENTRY},
            api_stages=stages,
            files=other,
            unrouted=self._unrouted,
        )

    def _version(self, name: str) -> tuple[str, Finding | None]:
        names, staged = self._names, self._staged
        function = names.entry if name == ENTRY else names.function(name)
        version = staged.entry if name == ENTRY else staged.functions[name].version
        if not missing_version(self._aws, function, version=version):
            return name, None
        return name, Finding(kind=What.VERSION, name=f"{function}:{version}", state=State.MISSING)

    def _roles(self) -> Iterator[Look]:
        grants = dict.fromkeys(each.grants for each in self._release.functions if each.grants)
        for each in grants:
            name = roles.name_of_grants(each, self._names)
            make = partial(roles.make_granted, self._reader.aws, self._names, grants=each)
            yield partial(self._heard, What.ROLE, name, make)

    def _followers(self, known: Known) -> Iterator[Look]:
        for function in self._release.functions:
            name = self._names.function(function.name)
            if function.name not in self._staged.functions:
                continue
            tend: Step = TendFunction(function=function.name, upkeep=function.upkeep)
            yield partial(self._heard, What.FUNCTION, name, partial(self._do, tend, known))
            if function.background.schedule:
                put: Step = PutSchedule(
                    function=function.name, schedule=function.background.schedule
                )
                yield partial(self._heard, What.SCHEDULE, name, partial(self._do, put, known))
            if function.background:
                yield partial(self._letters, function)

    def _do(self, step: Step, known: Known) -> None:
        self._perform(step, known, lambda *_: None)

    def _heard(self, kind: What, name: str, act: Callable[[], object]) -> Iterator[Finding]:
        with self._reader.hearing() as writes:
            try:
                act()
            except JamError as error:
                yield refused(kind, name, error)
        if writes:
            yield finding(kind, name, writes)

    def _letters(self, function: Function) -> Iterator[Finding]:
        version = self._staged.functions[function.name].version
        if missing_version(self._aws, self._names.function(function.name), version=version):
            return
        if not background.keeps_failures(
            self._aws, self._names, function=function, version=version
        ):
            name = f"{self._names.function(function.name)}:{version}"
            told = "what becomes of events that it fails at"
            self._unkept.add(function.name)
            yield Finding(kind=What.VERSION, name=name, state=State.CHANGED, told=told)

    def _pointers(self, known: Known) -> Iterator[Look]:
        """Where nobody is at it: an open rollout and a run that ended early have rules of their
        own."""
        yield partial(self._keys, known.get(Ref(Made.STORE), ""))
        if self._there.rollout or self._there.holder:
            return
        yield partial(looks_at_pointers.alias, self._aws, self._names.entry, self._staged.entry)
        for function in self._release.functions:
            if function.stream:
                version = self._staged.functions[function.name].version
                name = self._names.function(function.name)
                yield partial(looks_at_pointers.alias, self._aws, name, version)

    def _keys(self, store: str) -> Iterator[Finding]:
        """The store's; what is kept and not routed is remembered for the steps."""
        there = keyvalues.contents(self._aws, store) if store else {}
        self._unrouted = routings.unknown(self._aws, self._names, there=self._there, keys=there)
        for each in self._unrouted:
            yield Finding(kind=What.KEY, name=routing_key(each), state=State.MISSING)
        if store:  # else all of them are made with it
            yield from looks_at_pointers.keys(there, of=self._there, manifest=self._manifest)

    def _stage(
        self, known: Known, *, lost: frozenset[str]
    ) -> tuple[frozenset[str], tuple[Finding, ...]]:
        """The live release's snapshot, if it has to be made again."""
        stage = self._staged.api_stage
        if not stage:
            return frozenset(), ()
        again = frozenset({stage})
        api = known.get(Ref(Made.API))
        acceptor, missing = self._names.acceptor, State.MISSING
        told: list[Finding] = []
        if api is None or not has_stage(self._aws, api, api_stage=stage):
            told.append(Finding(kind=What.API_STAGE, name=stage, state=missing))
        if self._foundation.unattended.requests and not self._is_there(acceptor):
            told.append(Finding(kind=What.FUNCTION, name=acceptor, state=missing))
        routed = {each.name for each in self._release.functions if each.methods}
        return (again if told or routed & lost else frozenset()), tuple(told)

    def _is_there(self, function: str) -> bool:
        return functions.find(self._aws, self._names, name=function) is not None

    def _files(self) -> tuple[tuple[Finding, ...], frozenset[str]]:
        if self._manifest is None:
            name = self._there.release[:8]
            told = "its manifest and perhaps its files"
            gone = Finding(kind=What.OBJECTS, name=name, state=State.MISSING, told=told)
            return (gone,), frozenset()
        return looks_at_files.look(
            self._aws, self._names, release=self._there.release, manifest=self._manifest
        )
