"""The command `logs`: which functions, from when on, shown how; or the requests to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from runner.aws.deployed import Deployed, Environment, read_environment
from runner.aws.log_events import events
from runner.aws.session import Aws
from runner.names import Names
from runner.operate import access
from runner.operate.find import own_functions
from runner.operate.logs import Following, Line, Look, recent, seconds_of
from runner.report.access_lines import request_document, shown_request
from runner.report.log_lines import document, shown
from runner.report.printable import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for; `function` is empty for all, `since` a span (`10m`).

    `access` is for the requests to functions, instead of what they wrote.
    """

    function: str
    since: str
    follow: bool
    as_json: bool
    access: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The logs to read, how they are read, and how a line is shown."""

    logs: tuple[Deployed, ...]
    look_of: Callable[[Aws], Look] = field(repr=False)
    text: Callable[[Line], str] = field(repr=False)
    document: Callable[[Line], dict[str, Any]] = field(repr=False)


def show(
    wanted: Wanted,
    *,
    names: Names,
    aws: Aws,
    connect: Callable[[], Aws],
    colour: bool,
    out: Callable[[str], None],
    say: Callable[[str], None],
) -> None:
    """Writes the lines to `out` and remarks to `say`; `connect` reads the credentials anew."""
    since = int((aws.clock() - seconds_of(wanted.since)) * 1000)
    environment = read_environment(aws, names)
    functions = own_functions(environment, wanted.function)
    source = _of_functions(functions, colour=colour)
    if wanted.access and functions:
        source = _of_requests(wanted, names, environment, connect=connect, colour=colour)
    lines: Iterable[Line] = recent(source.logs, source.look_of(aws), since=since)
    if wanted.follow and functions:
        lines = Following(
            functions=source.logs,
            renew=lambda: source.look_of(connect()),
            say=say,
            clock=aws.clock,
            sleep=aws.sleep,
            since=since,
        )
    elif wanted.as_json:
        out(_one_document(lines, source))
        return
    text = partial(_compact, source) if wanted.as_json else source.text
    if not functions:
        where = names.site if names == names.production else f"{names.environment} of {names.site}"
        say(f"{where} has no functions live.")
    elif not _each(lines, text, out=out):
        say(f"Nothing was logged in the last {wanted.since}.")


def look_of(aws: Aws) -> Look:
    return lambda function, since: events(aws, function.function, since=since)


def _of_functions(functions: tuple[Deployed, ...], *, colour: bool) -> _Source:
    return _Source(
        logs=functions,
        look_of=look_of,
        text=partial(shown, width=_width(functions), colour=colour),
        document=document,
    )


def _of_requests(
    wanted: Wanted,
    names: Names,
    environment: Environment | None,
    *,
    connect: Callable[[], Aws],
    colour: bool,
) -> _Source:
    def stages() -> access.Stages:
        now = read_environment(connect(), names)
        return now.stages if now else {}

    function = own_functions(environment, wanted.function)[0].name if wanted.function else ""
    releases = access.Releases(environment.stages if environment else {}, stages)
    return _Source(
        logs=(access.access_log(names),),
        look_of=partial(access.look_of, function=function, stage=_stage(names)),
        text=partial(shown_request, releases=releases, colour=colour),
        document=partial(request_document, releases=releases),
    )


def _stage(names: Names) -> str:
    """Of production all api_stages, of a preview its own."""
    return "" if names == names.production else names.environment


def _each(lines: Iterable[Line], text: Callable[[Line], str], *, out: Callable[[str], None]) -> int:
    """How many lines there were."""
    count = 0
    for line in lines:
        out(text(line))
        count += 1
    return count


def _width(functions: Iterable[Deployed]) -> int:
    return max((len(f"{each.name}@{each.version}") for each in functions), default=0)


def _compact(source: _Source, line: Line) -> str:
    return printable(json.dumps(source.document(line), ensure_ascii=False))


def _one_document(lines: Iterable[Line], source: _Source) -> str:
    found = {"lines": [source.document(line) for line in lines]}
    return printable(json.dumps(found, indent=2, ensure_ascii=False))
