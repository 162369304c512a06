"""What settings must fulfil together: rules between two keys. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from runner.config.admission import broken_admission
from runner.config.cron import ScheduleError, expression
from runner.config.functions import Function, Functions
from runner.config.own import handed_on
from runner.config.settings import Index, Rollout, Settings, Table
from runner.config.shape import Wrong
from runner.config.values import LOG_DAYS

# An HTTP API gives up on its integration after 30 seconds.
# Source: API Gateway developer guide, "Quotas for configuring and running an HTTP API".
HTTP_TIMEOUT = 30
GLOBAL_INDEXES, LOCAL_INDEXES = 20, 5
# The guard must act two minutes before the last step, and needs minutes of traffic before that.
_LEAST_PAUSE = 5  # minutes
LONGEST_SHIFT = 2880  # minutes from CodeDeploy's first step to its last
_SOURCE = re.compile(r"(?P<name>.+)\.(?:js|mjs|cjs|ts|py)")
# Source: Lambda developer guide, "Working with Lambda environment variables", reserved ones.
RESERVED = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        *("AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_RUNTIME_API"),
        *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_REGION", "TZ"),
        *("AWS_LAMBDA_LOG_STREAM_NAME", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT"),
    }
)


def broken_rules(settings: Settings) -> Iterator[Wrong]:
    """Every rule that the settings break."""
    yield from _timeout(settings.functions)
    yield from _schedules(settings)
    yield from _names(settings)
    yield from broken_admission(settings)
    yield from _grants(settings)
    yield from _variables(settings)
    yield from handed_on(settings)
    yield from _hosting(settings)
    yield from _tables(settings)
    yield from _rollout(settings)
    yield from _folders(settings)


def minutes(interval: str) -> int:
    """An interval such as `15m` or `2h` in minutes."""
    return int(interval[:-1]) * {"m": 1, "h": 60}[interval[-1]]


def hours(age: str) -> int:
    """An age such as `12h` or `14d` in hours."""
    return int(age[:-1]) * {"h": 1, "d": 24}[age[-1]]


def _functions(settings: Settings) -> Iterator[tuple[tuple[str, ...], Function]]:
    """`[functions]` and each `[functions.NAME]`, with the path below `functions`."""
    yield (), settings.functions
    for name, one in settings.functions.named.items():
        yield (name,), one


def _timeout(functions: Functions) -> Iterator[Wrong]:
    """Of all functions; of a single one only its code may say that nobody waits for it."""
    sections = (functions, *functions.named.values())
    awaited = not any(one.schedule or one.background or one.stream for one in sections)
    if (functions.timeout or 0) > HTTP_TIMEOUT and awaited:
        yield Wrong(
            at=("functions", "timeout"),
            message=f"found {functions.timeout}, allowed: 1 to {HTTP_TIMEOUT} seconds",
            hint="API Gateway waits no longer; with `schedule`, `async`, `stream` it may be 900",
        )


def _schedules(settings: Settings) -> Iterator[Wrong]:
    for name, one in _functions(settings):
        try:
            expression(one.schedule or "@daily")
        except ScheduleError as error:
            at = ("functions", *name, "schedule")
            yield Wrong(at=at, message=f'found "{one.schedule}": {error}')


def _names(settings: Settings) -> Iterator[Wrong]:
    for name in settings.functions.named:
        if found := _SOURCE.fullmatch(name):
            yield Wrong(
                at=("functions", name),
                message=f'a function is named without its ending: "{found["name"]}"',
            )


def _grants(settings: Settings) -> Iterator[Wrong]:
    tables = tuple(settings.tables)
    for name, one in _functions(settings):
        for grant in one.tables or ():
            table = grant.partition(":")[0]
            if table not in tables:
                near = difflib.get_close_matches(table, tables, n=1)
                yield Wrong(
                    at=("functions", *name, "tables"),
                    message=f"there is no table `{table}`",
                    hint=f"did you mean `{near[0]}`?" if near else f"add [tables.{table}]",
                )


def _variables(settings: Settings) -> Iterator[Wrong]:
    for name, one in _functions(settings):
        for key in ("environment", "secrets"):
            for variable in sorted(RESERVED & set(getattr(one, key))):
                yield Wrong(
                    at=("functions", *name, key, variable),
                    message=f"Lambda sets {variable} itself",
                    hint="choose another name",
                )
        for variable in sorted(set(one.environment) & set(one.secrets)):
            yield Wrong(
                at=("functions", *name, "secrets", variable),
                message=f"{variable} is also in `environment`",
                hint="leave one of them out",
            )


def _hosting(settings: Settings) -> Iterator[Wrong]:
    for name, one in _functions(settings):
        at = ("functions", *name)
        if one.log_retention is not None and one.log_retention not in LOG_DAYS:
            days = ", ".join(map(str, LOG_DAYS))
            message = f"found {one.log_retention}, allowed: {days}"
            yield Wrong(at=(*at, "log_retention"), message=message)
        if bool(one.subnets) != bool(one.security_groups):
            key, other = ("subnets", "security_groups")[:: 1 if one.subnets else -1]
            yield Wrong(at=(*at, key), message=f"a VPC needs `{other}` as well")


def _tables(settings: Settings) -> Iterator[Wrong]:
    for name, table in settings.tables.items():
        at = ("tables", name)
        yield from _same_keys(at, table.hash, table.range)
        kinds = {_attribute(key): key for key in (table.hash, table.range) if key}
        for index, keys in table.indexes.items():
            yield from _index(table, keys, at=(*at, "indexes", index), kinds=kinds)
        yield from _too_many(table, at=at)


def _index(
    table: Table, index: Index, *, at: tuple[str, ...], kinds: dict[str, str]
) -> Iterator[Wrong]:
    """One attribute has one type in all keys: `kinds` are those seen so far."""
    yield from _same_keys(at, index.hash or table.hash, index.range)
    if not index.hash and not (index.range and table.range):
        yield Wrong(
            at=at,
            message="a local index needs a `range`, and so does its table",
            hint="add `hash` for an index with a partition key of its own",
        )
    for key in (index.hash, index.range):
        if key and kinds.setdefault(_attribute(key), key) != key:
            message = f"found {key!r}, allowed: the same type as in {kinds[_attribute(key)]!r}"
            yield Wrong(at=at, message=message)


def _same_keys(at: tuple[str, ...], first: str, second: str | None) -> Iterator[Wrong]:
    if second and _attribute(first) == _attribute(second):
        message = f"found {second!r}, allowed: another attribute than `hash`"
        yield Wrong(at=(*at, "range"), message=message)


def _too_many(table: Table, *, at: tuple[str, ...]) -> Iterator[Wrong]:
    """Source: DynamoDB developer guide, "Quotas in Amazon DynamoDB", secondary indexes."""
    local = sum(not index.hash for index in table.indexes.values())
    if local > LOCAL_INDEXES or len(table.indexes) - local > GLOBAL_INDEXES:
        message = f"allowed: {GLOBAL_INDEXES} indexes with a `hash` and {LOCAL_INDEXES} without"
        yield Wrong(at=(*at, "indexes"), message=message)


def _attribute(key: str) -> str:
    return key.rpartition(":")[0]


def _rollout(settings: Settings) -> Iterator[Wrong]:
    rollout = settings.production.rollout
    yield from _shift(rollout)
    pauses = rollout.on_inconclusive in ("extend", "wait")
    if pauses and minutes(rollout.interval) < _LEAST_PAUSE:
        yield Wrong(
            at=("production", "rollout", "on_inconclusive"),
            message=f'"{rollout.on_inconclusive}" needs an interval of at least {_LEAST_PAUSE}m',
            hint="the rollout must be stopped two minutes before its last step",
        )


def _shift(rollout: Rollout) -> Iterator[Wrong]:
    """Source: CodeDeploy user guide, "CodeDeploy limits", Deployment configurations."""
    steps = -(-100 // rollout.percent) - 1 if rollout.strategy == "linear" else 1
    found = steps * minutes(rollout.interval)
    if rollout.strategy != "all-at-once" and found > LONGEST_SHIFT:
        yield Wrong(
            at=("production", "rollout", "interval"),
            message=f"takes {found} minutes to the last step, allowed: {LONGEST_SHIFT}",
            hint="a shorter interval, or a larger percent",
        )


def _folders(settings: Settings) -> Iterator[Wrong]:
    publish = PurePosixPath(settings.build.publish or "")
    functions = PurePosixPath(settings.functions.directory)
    if settings.build.publish and publish == functions:
        yield Wrong(
            at=("functions", "directory"),
            message=f"`{functions}` is the publish folder: its code would be public",
        )
