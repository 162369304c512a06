"""The command `logs`: which functions, from when on, shown how."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from runner.aws.deployed import Deployed, read_environment
from runner.aws.log_events import events
from runner.aws.session import Aws
from runner.names import Names
from runner.operate.find import own_functions
from runner.operate.logs import Following, Line, Look, recent, seconds_of
from runner.report.log_lines import document, shown
from runner.report.printable import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for; `function` is empty for all, `since` a span (`10m`)."""

    function: str
    since: str
    follow: bool
    as_json: bool


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
    functions = own_functions(read_environment(aws, names), wanted.function)
    lines: Iterable[Line] = recent(functions, look_of(aws), since=since)
    if wanted.follow and functions:
        lines = Following(
            functions=functions,
            renew=lambda: look_of(connect()),
            say=say,
            clock=aws.clock,
            sleep=aws.sleep,
            since=since,
        )
    elif wanted.as_json:
        out(_one_document(lines))
        return
    text = _compact if wanted.as_json else partial(shown, width=_width(functions), colour=colour)
    if not functions:
        say(f"{names.site} has no functions live.")
    elif not _each(lines, text, out=out):
        say(f"Nothing was logged in the last {wanted.since}.")


def look_of(aws: Aws) -> Look:
    return lambda function, since: events(aws, function.function, since=since)


def _each(lines: Iterable[Line], text: Callable[[Line], str], *, out: Callable[[str], None]) -> int:
    """How many lines there were."""
    count = 0
    for line in lines:
        out(text(line))
        count += 1
    return count


def _width(functions: Iterable[Deployed]) -> int:
    return max((len(f"{each.name}@{each.version}") for each in functions), default=0)


def _compact(line: Line) -> str:
    return printable(json.dumps(document(line), ensure_ascii=False))


def _one_document(lines: Iterable[Line]) -> str:
    found = {"lines": [document(line) for line in lines]}
    return printable(json.dumps(found, indent=2, ensure_ascii=False))
