"""A section about functions, from jam.toml or a function's own `config`, as what packaging wants.

Pure.
"""

from __future__ import annotations

from runner.config.functions import Function
from runner.package.functions.settings import FunctionSettings


def settings_of(
    section: Function, environment: tuple[tuple[str, str], ...] = ()
) -> FunctionSettings:
    """The same with its references gone: `environment` holds their values."""
    return FunctionSettings(
        runtime=section.runtime,
        architecture=section.architecture,
        memory=section.memory,
        timeout=section.timeout,
        methods=section.methods,
        external=section.external,
        included_files=section.included_files,
        environment=environment,
        tables=None if section.tables is None else tuple(map(_grant, section.tables)),
        invoke=section.invoke,
        layers=section.layers,
        subnets=section.subnets,
        security_groups=section.security_groups,
        tracing=section.tracing,
        log_days=section.log_retention,
        reserved=section.reserved_concurrency,
        schedule=section.schedule,
        background=section.background,
        retries=section.retries,
        stream=section.stream,
        authorizer=section.authorizer,
        scopes=section.scopes,
        throttle=(section.throttle.rate, section.throttle.burst) if section.throttle else None,
        secrets=tuple(
            (name, text.removeprefix("ssm:")) for name, text in sorted(section.secrets.items())
        ),
    )


def _grant(text: str) -> tuple[str, str]:
    """A table and what is allowed with it: `notes:rw`."""
    table, _, access = text.rpartition(":")
    return table, access
