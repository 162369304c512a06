"""Publishes what runs at Lambda: a version of a function, or of the entry; waits for it."""

from __future__ import annotations

from collections.abc import Callable

from runner.apply import Known
from runner.aws import background, entry, functions, versions
from runner.aws.beforehand import Beforehand
from runner.aws.session import Aws
from runner.model import Release
from runner.names import Names
from runner.plan.foundation import ENTRY, Role
from runner.plan.publishing import (
    AwaitVersions,
    PublishEntry,
    PublishFunction,
    PublishStep,
    role_of,
)
from runner.plan.refs import Made, Ref
from runner.together import at_once

LOOKS = 16  # at once


def performed(
    aws: Aws,
    names: Names,
    *,
    step: PublishStep,
    known: Known,
    entry_archive: Callable[[Release], bytes],
    beforehand: Beforehand,
) -> Known:
    """What the step made."""
    if isinstance(step, AwaitVersions):
        return awaited(aws, names, step=step, known=known, beforehand=beforehand)
    return published(
        aws, names, step=step, known=known, entry_archive=entry_archive, beforehand=beforehand
    )


def published(
    aws: Aws,
    names: Names,
    *,
    step: PublishFunction | PublishEntry,
    known: Known,
    entry_archive: Callable[[Release], bytes],
    beforehand: Beforehand,
) -> Known:
    """The version that the step is about."""
    if isinstance(step, PublishEntry):
        role = known[Ref(Made.ROLE, Role.ENTRY)]
        wanted = entry.wanted_of(names, role_arn=role, archive=entry_archive(step.release))
    else:
        function = step.function
        wanted = versions.wanted_of(
            function,
            names,
            role_arn=known[role_of(function.grants)],
            versions={other: known[Ref(Made.VERSION, other)] for other in function.grants.invoke},
        )
    seen = beforehand.at_function(wanted.name)
    version = functions.publish(aws, names, wanted=wanted, seen=seen)
    events = isinstance(step, PublishFunction) and bool(step.function.background)
    if step.ready or events:  # what becomes of its events is set on a version that stands
        functions.ready(aws, wanted.name, version=version)
    if isinstance(step, PublishFunction) and events:
        background.keep_failures(aws, names, function=step.function, version=version)
    return dict.fromkeys(step.makes, version)


def awaited(
    aws: Aws, names: Names, *, step: AwaitVersions, known: Known, beforehand: Beforehand
) -> Known:
    """Returns once all of them can be called; the revision of what is moved next."""

    def ready(function: str) -> None:
        name = names.entry if function == ENTRY else names.function(function)
        functions.ready(aws, name, version=known[Ref(Made.VERSION, function)])

    with at_once(LOOKS, name="version") as pool:
        list(pool.map(ready, step.functions))
    return {ref: beforehand.at_revision(names.entry) for ref in step.makes}
