"""Publishes what runs at Lambda: a version of a function, or of the entry."""

from __future__ import annotations

from collections.abc import Callable

from runner.apply import Known
from runner.aws import background, entry, functions, versions
from runner.aws.session import Aws
from runner.model import Release
from runner.names import Names
from runner.plan.foundation import Role
from runner.plan.refs import Made, Ref
from runner.plan.releasing import PublishEntry, PublishFunction, role_of


def published(
    aws: Aws,
    names: Names,
    *,
    step: PublishFunction | PublishEntry,
    known: Known,
    entry_archive: Callable[[Release], bytes],
) -> Known:
    """The version that the step is about, ready to be called."""
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
    version = functions.publish(aws, names, wanted=wanted)
    if isinstance(step, PublishFunction) and step.function.background:
        background.keep_failures(aws, names, function=step.function, version=version)
    return dict.fromkeys(step.makes, version)
