"""From entry points to bundles in as few calls of esbuild as there is reason for.

A package that cannot be bundled, or would not work in a bundle, is left outside and the function
bundled again without it; a function with top-level await becomes an ECMAScript module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from runner.errors import Problem, site_error
from runner.package.functions.bundles import Bundles
from runner.package.functions.esbuild import (
    NO_TOP_LEVEL_AWAIT,
    Bundle,
    Entry,
    Esbuild,
    Options,
    Outcome,
    Shape,
)
from runner.package.functions.judge import Judge, declared
from runner.package.functions.leads_nowhere import UNRESOLVED, explained
from runner.package.functions.metafile import package_of

# Entries of a call: as many as esbuild, which gives back nothing before it ends, holds in so many
# bytes. It was seen to take 35 for one that it reads, and 24 more for each that it writes (0.28.2,
# bundles of 0.5 and of 1.2 MB); the first call shows how many bytes those are.
_MEMORY = 360_000_000
_TO_READ, _TO_WRITE = 35, 24
_FIRST, _FEWEST, _MOST = 8, 4, 50
_LOADED_LATER = re.compile(
    r'"require" call|call to "require"|"import" expression|"require\.resolve"|Indirect calls'
)

Jobs = Mapping[Entry, Options]


@dataclass(slots=True, kw_only=True)
class _Job:
    """A function on its way; `inputs` are those of all rounds, so that a change is noticed."""

    entry: Entry
    asked: Options
    shape: Shape = Shape.COMMON
    alone: bool = False
    native: set[str] = field(default_factory=set)
    traced: set[str] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)

    def now(self) -> Options:
        names = {*self.asked.external, *self.native, *self.traced}
        return replace(self.asked, shape=self.shape, external=tuple(sorted(names)))

    def done(self, made: Bundle) -> Bundle:
        used = {one.package for one in made.outside} if self.native or self.traced else set()
        return replace(
            made,
            inputs=tuple(sorted(self.inputs)),
            native=tuple(sorted(self.native & used)),
            traced=tuple(sorted((self.traced - self.native) & used)),
        )


@dataclass(slots=True, kw_only=True)
class Workshop:
    """Bundles of a site; those of `known` are not made again.

    `ready` is told the file of each new bundle while others are being made.
    """

    esbuild: Esbuild
    known: Bundles
    echo: Callable[[str], None]
    judge: Judge
    ready: Callable[[Path], object]
    _made: dict[str, Bundle] = field(default_factory=dict)
    _warnings: dict[Problem, None] = field(default_factory=dict)
    _errors: dict[Problem, None] = field(default_factory=dict)

    def bundles(self, jobs: Jobs) -> dict[str, Bundle]:
        """A bundle for each entry, by its path; raises JAM-FUNCTION-BUNDLE with every error."""
        found = {entry: self.known.get(entry, options) for entry, options in jobs.items()}
        missing = [_Job(entry=one, asked=jobs[one]) for one, kept in found.items() if not kept]
        if missing:
            self._make(missing)
        for warning in self._warnings:
            self.echo(f"warning: {warning}")
        if self._errors:
            raise site_error(
                "JAM-FUNCTION-BUNDLE",
                "functions cannot be bundled",
                hint="Correct these places; all that is wrong is named.",
                problems=tuple(explained(error, self.esbuild.root) for error in self._errors),
            )
        return {entry.path: kept or self._made[entry.path] for entry, kept in found.items()}

    def _make(self, waiting: list[_Job]) -> None:
        """While esbuild works at one call, what came of the one before is looked at."""
        call: list[_Job] = []
        running: Future[Outcome] | None = None
        with self.known.workbench() as bench, ThreadPoolExecutor(max_workers=1) as beside:
            for number in count():
                done, outcome = call, running.result() if running else None
                call, waiting = _next(waiting, _together(outcome))
                entries = tuple(job.entry for job in call)
                running = None
                if call:
                    running = beside.submit(
                        self.esbuild.bundle,
                        entries,
                        bench / f"{number}",
                        options=call[0].now(),
                    )
                if outcome:
                    waiting += self._looked_at(done, outcome)
                if not (running or waiting):
                    return

    def _looked_at(self, call: list[_Job], outcome: Outcome) -> list[_Job]:
        """Takes what came of a call; returns those that need another one."""
        if awaiting := [one for one in outcome.errors if NO_TOP_LEVEL_AWAIT in one.message]:
            return _as_modules(call, {_file(one) for one in awaiting})
        unfit = {one: self._unfit(one) for one in outcome.errors}
        outside = call[0].now().external
        if own := [one for one, name in unfit.items() if not name or name in outside]:
            self._errors.update(dict.fromkeys(own))
            return []
        if unfit:
            native = self.judge.native(map(_file, unfit))
            for job in call:
                job.native |= native
                job.traced |= set(unfit.values()) - native
            return call
        return self._judged(call, outcome)

    def _unfit(self, error: Problem) -> str:
        """The package that an error lies in; '' if the site's author has to mend it."""
        owner = self.judge.owner(_file(error))
        if owner is None:
            return ""
        missing = UNRESOLVED.search(error.message)
        named = package_of(missing[1]) if missing and not missing[1].startswith(".") else ""
        return "" if named in declared(owner) else owner.pattern

    def _judged(self, call: list[_Job], outcome: Outcome) -> list[_Job]:
        """Keeps the bundles with which all is well."""
        again = []
        later = self._loaded_later(outcome.warnings)
        for job in call:
            made = outcome.bundles[job.entry.path]
            job.inputs |= set(made.inputs)
            native = self.judge.native(made.inputs) - job.native
            bound = self.judge.bound(made.inputs)
            if later:
                bound |= later & self.judge.names(made.inputs)
            traced = bound - job.native - job.traced - native
            job.native |= native
            job.traced |= traced
            if native or traced:
                again.append(job)
            else:
                kept = self.known.put(job.entry, job.asked, bundle=job.done(made))
                self._made[job.entry.path] = kept
                self.ready(kept.code)
        return again

    def _loaded_later(self, warnings: Iterable[Problem]) -> set[str]:
        """Packages that load what no bundler can know; other warnings are kept to be told."""
        found = set()
        for warning in warnings:
            owner = self.judge.owner(_file(warning))
            if owner is None:
                self._warnings[warning] = None
            elif _LOADED_LATER.search(warning.message):
                found.add(owner.pattern)
        return found


def _file(problem: Problem) -> str:
    return problem.where.rpartition(":")[0]


def _as_modules(call: list[_Job], files: set[str]) -> list[_Job]:
    """Those that await at their top as modules; all one by one, if it is a file that they share."""
    guilty = [job for job in call if job.entry.path in files or len(call) == 1]
    for job in guilty:
        job.shape = Shape.MODULE
    for job in call if not guilty else ():
        job.alone = True
    return call


def _next(jobs: list[_Job], most: int) -> tuple[list[_Job], list[_Job]]:
    """The first of `jobs`, with up to `most` in all that can share its call, and the others."""
    if not jobs:
        return [], []
    first, options = jobs[0], jobs[0].now()
    like = [job for job in jobs if not job.alone and job.now() == options]
    call = [first] if first.alone else like[:most]
    taken = {job.entry.path for job in call}
    return call, [job for job in jobs if job.entry.path not in taken]


def _together(outcome: Outcome | None) -> int:
    """How many entries the next call has, by the largest of the last one."""
    if outcome is None or not outcome.written:
        return _FIRST
    most = (_MEMORY - _TO_READ * outcome.read) // (_TO_WRITE * outcome.written)
    return max(_FEWEST, min(_MOST, most))
