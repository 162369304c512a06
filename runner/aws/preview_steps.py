"""From a preview's steps to the calls that make them true; harmless to repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial
from typing import TypeVar, assert_never

from runner.apply import Known, Moved
from runner.aws import (
    emptying,
    files,
    pool_records,
    preview_records,
    preview_rights,
    previews,
    removal,
)
from runner.aws.leases import Lease
from runner.aws.means import Means
from runner.aws.owned import is_of_environment
from runner.aws.refusals import is_denied, is_missing
from runner.aws.session import Aws
from runner.errors import JamError
from runner.model import File, Release
from runner.names import Names
from runner.plan.inventory import Thing, What
from runner.plan.previewing import (
    HIDDEN,
    AllowFunctions,
    CopyPublished,
    HideReleases,
    LetGo,
    PreviewStage,
    TakeHost,
)
from runner.plan.refs import Made, Ref
from runner.together import at_once

LOOKS = 8  # at once

T = TypeVar("T")


def performed(
    aws: Aws,
    names: Names,
    *,
    step: PreviewStage,
    known: Known,
    means: Means,
    moved: Moved,
) -> Known:
    """What the step made."""
    put, copy = means.content.put, means.content.copy
    match step:
        case TakeHost():
            return previews.take_host(aws, names, step=step, known=known)
        case AllowFunctions(grants=grants):
            role = preview_rights.allow(aws, names, grants=grants)
            return dict.fromkeys(step.makes, role)
        case CopyPublished(release=release, files=wanted):
            copies = (
                files.published_copy_of(each, release, origin=step.origin, names=names)
                for each in wanted
            )
            try:
                copy(aws, names.bucket, copies, moved=moved)
            except JamError as error:
                if not (is_missing(error) or is_denied(error)):
                    raise
                # Production has let go of that release meanwhile; who may not list its bucket is
                # told that it may not. Source: S3 API reference, CopyObject and GetObject, 403.
                put(aws, names.bucket, _uploads(wanted, release, names), moved=moved)
        case HideReleases(releases=releases):
            store, host = known[Ref(Made.STORE)], known[Ref(Made.DOMAIN)]
            previews.forget(aws, names, store, releases=releases, host=host)
        case LetGo():
            let_go(aws, names, step=step, release=means.release, known=known, lease=means.lease)
        case _:
            assert_never(step)
    return dict.fromkeys(step.makes, "")


def _uploads(wanted: Iterable[File], release: str, names: Names) -> Iterable[files.Upload]:
    return (files.upload_of(each, release, names) for each in wanted)


def let_go(
    aws: Aws,
    names: Names,
    *,
    step: LetGo,
    release: Release,
    known: Known,
    lease: Lease | None = None,
) -> None:
    """What leads to them goes first, their records last. A version that `release` has found again
    stays. What AWS takes away without a condition is sent under the `lease` alone: another run may
    have made the same name anew while this one slept."""

    def under(work: Callable[[T], object]) -> Callable[[T], None]:
        def done(each: T) -> None:
            with aws.fenced(lease.check) if lease else nullcontext():
                work(each)

        return done

    if step.host and step.host != known.get(Ref(Made.DOMAIN)):
        previews.leave(aws, names, known[Ref(Made.STORE)], host=step.host)
        pool_records.give_back(aws, names, host=step.host, lease=lease)
    if step.releases and HIDDEN not in known:
        host = known.get(Ref(Made.DOMAIN), "")
        previews.forget(aws, names, known[Ref(Made.STORE)], releases=step.releases, host=host)
    in_use = {
        (names.function(it.name), known[Ref(Made.VERSION, it.name)]) for it in release.functions
    }
    versions = [each for each in step.versions if each not in in_use]
    things = [*(_function(it) for it in step.functions), *(_log(it) for it in step.functions)]
    prefixes = [f"{names.objects}/releases/{each}/" for each in step.releases]
    with at_once(LOOKS) as workers:
        begun = [
            *(workers.submit(under(partial(remove, aws, names)), each) for each in things),
            *(workers.submit(under(partial(_version, aws, names)), each) for each in versions),
            *(workers.submit(under(partial(emptying.abort, aws, names)), it) for it in prefixes),
            *(workers.submit(under(partial(emptying.clear, aws, names)), it) for it in prefixes),
        ]
        for each in begun:
            each.result()
    preview_records.forget_releases(aws, names, releases=step.releases, lease=lease)


def things_of(owns: Iterable[str]) -> list[Thing]:
    """What a preview is made of, by its records: `function NAME`, which has a log, and
    `table NAME`."""
    split = [each.partition(" ") for each in owns]
    functions = [name for kind, _, name in split if kind == "function"]
    tables = [name for kind, _, name in split if kind == "table"]
    return [
        *map(_function, functions),
        *map(_log, functions),
        *(Thing(kind=What.TABLE, name=name, key=name) for name in tables),
    ]


def remove(aws: Aws, names: Names, thing: Thing) -> None:
    """What bears others' tags, or none, was not made by us: it stays, whatever its name is."""
    if is_of_environment(aws, names, thing):
        removal.remove(aws, names, thing)


def _function(name: str) -> Thing:
    return Thing(kind=What.FUNCTION, name=name, key=name)


def _log(function: str) -> Thing:
    group = f"/aws/lambda/{function}"
    return Thing(kind=What.LOG_GROUP, name=group, key=group)


def _version(aws: Aws, names: Names, version: tuple[str, str]) -> None:
    name, number = version
    if is_of_environment(aws, names, _function(name)):
        removal.collect(aws, names, Thing(kind=What.VERSION, name=name, key=number, of=name))
