"""A kept release as it stands: found by its id, seen to be whole, brought up without a build.

Looks at AWS and, in `carried_out`, changes it; never uploads, never builds, never asks GitHub.
What does not wait for another answer is asked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from runner.apply import apply, known_of
from runner.aws import kept, keyvalues, records, urls
from runner.aws.beforehand import Beforehand
from runner.aws.kept import Condition
from runner.aws.leases import Lease
from runner.aws.live import recorded, recorded_ids, versions_of, with_files
from runner.aws.looks_at_live import manifest_of
from runner.aws.means import Content
from runner.aws.perform import performer
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.upload import copy, put
from runner.aws.written import Environment, Staged
from runner.errors import site_error
from runner.model import Release
from runner.names import Names
from runner.package.manifest import manifest
from runner.plan.back import foundation_of
from runner.plan.definition import release_of
from runner.plan.live import Live
from runner.plan.refs import Made, Ref
from runner.plan.steps import Plan
from runner.report.watch import Watcher
from runner.together import at_once

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A release with its record, and what of it stands."""

    release: Release
    staged: Staged
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What visitors have now: whether it is as recorded, which files, and by which `revisions` of
    alias (by Lambda's name) and store (by its ARN)."""

    agrees: bool
    manifest: Mapping[str, Any]
    revisions: Mapping[str, str]


def environment_of(aws: Aws, names: Names) -> Environment:
    """What production serves. Raises JamError `JAM-ROLLBACK-NOTHING` before a first release."""
    with explained():
        found = records.read(aws, names, release="")
    if not found or not found[0].release:
        raise site_error(
            "JAM-ROLLBACK-NOTHING",
            f"Nothing of {names.site} is live in {names.region}.",
            hint="Look at `--site` and `--region`; `jam-deploy deploy` makes a first release.",
        )
    return found[0]


def named(aws: Aws, names: Names, wanted: str) -> str:
    """The id of the one kept release whose id begins so; else JamError `JAM-ROLLBACK-UNKNOWN`."""
    ready = [each.release for each in kept.releases(aws, names) if each.is_ready]
    matches = [each for each in ready if each.startswith(wanted.lower())]
    if len(matches) == 1:
        return matches[0]
    known = ", ".join(each[:8] for each in (matches or ready)[:10]) or "none"
    raise site_error(
        "JAM-ROLLBACK-UNKNOWN",
        f"{len(matches) or 'No'} kept releases begin with {wanted!r}.",
        hint=f"Name one of these: {known}. `jam-deploy releases` says more.",
    )


def kept_of(aws: Aws, names: Names, release: str) -> tuple[Environment, Staged | None]:
    """The record of a release, and what production serves right now."""
    with explained():
        return records.read(aws, names, release=release) or (Environment(), None)


def standing(aws: Aws, names: Names, release: str, *, there: Environment) -> Standing | None:
    """What stands of a release; None where its record does not say what it is made of."""
    _, staged = kept_of(aws, names, release)
    return stood(aws, names, release, there=there, staged=staged)


def stood(
    aws: Aws,
    names: Names,
    release: str,
    *,
    there: Environment,
    staged: Staged | None,
    served: Callable[[], Mapping[str, Any]] = dict,
) -> Standing | None:
    """The same, by its record; `served` as `kept.condition` has it."""
    if staged is None or not staged.definition:
        return None
    state = kept.condition(aws, names, release=release, staged=staged, there=there, served=served)
    whole = release_of(release, staged.definition, state.manifest)
    return Standing(release=whole, staged=staged, condition=state)


def around(aws: Aws, names: Names, *, there: Environment) -> Around:
    """Looks at what visitors have."""
    store = there.ids[Made.STORE]
    with explained(), at_once(3, name="live") as pool:
        manifest = pool.submit(manifest_of, aws, names, release=there.release)
        value = pool.submit(keyvalues.live_release, aws, store)
        etag = pool.submit(keyvalues.revision, aws, store)
        version, revision = urls.look(aws, names.entry)
        return Around(
            agrees=version == there.entry and value.result() == there.release,
            manifest=manifest.result(),
            revisions={names.entry: revision, store: etag.result()},
        )


def live_beside(
    names: Names, found: Standing, *, there: Environment, seen: Around, unsure: bool = False
) -> Live:
    """What is live, as plans for `found` ask for it: its versions known, its api_stage as it is."""
    release, staged = found.release, found.staged
    foundation = foundation_of(release, Live(foundation=there.foundation))
    live = with_files(recorded(there, agrees=seen.agrees, unsure=unsure), seen.manifest)
    stages = tuple(each for each in live.stages if each[0] != staged.api_stage)
    return replace(
        live,
        known={**recorded_ids(names, there, foundation=foundation), **versions_of(staged)},
        # Somebody deleted it by hand, or it was dropped: either way it is made again.
        stages=live.stages if found.condition.has_stage else stages,
    )


def carried_out(
    aws: Aws,
    names: Names,
    plan: Plan,
    *,
    release: Release,
    live: Live,
    lease: Lease,
    watcher: Watcher,
    clock: Callable[[], float],
    revisions: Mapping[str, str] = _NONE,
    ends: bool = False,
) -> None:
    """Performs a plan that builds nothing, under the lease. `clock` counts seconds.

    `revisions` as `Around` has them. With what it `ends` nothing is left to do under the lease.
    """
    perform = performer(
        aws,
        names,
        release=release,
        foundation=foundation_of(release, live),
        content=Content(
            put=put, copy=copy, manifest=manifest, entry_archive=_nothing, guard_archive=_nothing
        ),
        lease=lease,
        beforehand=Beforehand(
            revisions={pointer: partial(str, each) for pointer, each in revisions.items()}
        ),
        ends=ends and not plan.settle,
    )
    known = {**known_of(live, plan), Ref(Made.RECORD): ""}
    apply(plan, perform, known=known, progress=watcher, clock=clock)


def _nothing(*_: object) -> bytes:
    raise AssertionError("what lies ready is not built again")
