"""Commands for a site at work: status, settle, logs, get, invoke."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from runner.cli.border import end
from runner.cli.group import cli
from runner.cli.options import PATH, Options, tell, with_options
from runner.cli.world import account, connection, watcher_of
from runner.errors import Turn

if TYPE_CHECKING:
    from runner.aws.session import Aws
    from runner.names import Names

_OF_PREVIEW = click.option(
    "--pr", "number", type=click.IntRange(1, 999_999_999), help="A preview's, by its number."
)


@cli.command()
@with_options
def status(options: Options) -> None:
    """Says what is live, and how its functions do.

    Since when, from which commit; routes, versions, errors of the last day.
    """
    from runner.operate.status import status as look
    from runner.report.status import status_document, status_text

    found = look(*account(options))
    tell(options, status_document(found), status_text(found))


@cli.command()
@with_options
@click.option("--promote", is_flag=True, help="End the rollout in the candidate's favour, now.")
def settle(options: Options, *, promote: bool) -> None:
    """Follows an open rollout to its end, or ends it.

    What a release still waits for that was promoted without a run is done as well: schedules, CORS,
    upkeep. Safe at any time, and twice: where nothing is open it says so.
    """
    from runner.report.endings import taken_back
    from runner.report.rollout import told_of
    from runner.settle import document, settle, text
    from runner.turn import run_of

    aws, names = account(options)
    with watcher_of(options) as watcher:
        settled = settle(
            aws,
            names,
            promote=promote,
            run=run_of(os.environ),
            watcher=watcher,
            clock=time.monotonic,
        )
    tell(options, document(settled), text(settled))
    if settled.outcome == "rolled_back":
        end(taken_back(told_of(settled.ended) if settled.ended else {}))


@cli.command()
@with_options
@click.argument("function", default="")
@click.option("-f", "--follow", is_flag=True, help="Go on until interrupted.")
@click.option("--since", default="10m", show_default=True, help="How far back: 90s, 10m, 2h, 1d.")
@click.option("--access", is_flag=True, help="Requests to the functions, not their own lines.")
@_OF_PREVIEW
def logs(
    options: Options, function: str, *, follow: bool, since: str, access: bool, number: int | None
) -> None:
    """Shows recent log lines of the functions, or requests to them.

    FUNCTION is a name of the site's (notes/[id]) or a part of one that no other has. With --json
    and --follow each line is one JSON document.
    """
    from runner.operate.show_logs import Wanted, show

    aws, names = _account(options, number)
    try:
        show(
            Wanted(
                function=function,
                since=since,
                follow=follow,
                as_json=options.as_json,
                access=access,
            ),
            names=names,
            connect=lambda: connection(names.region),
            aws=aws,
            colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"),
            out=click.echo,
            say=lambda text: click.echo(text, err=True),
        )
    except KeyboardInterrupt:
        if not follow:
            raise
        sys.stdout.flush()
        os._exit(Turn.CANCELLED)  # how following ends: nothing is to be explained


@cli.command()
@with_options
@click.argument("function")
@click.argument("folder", type=PATH, metavar="DIR")
def get(options: Options, function: str, folder: Path) -> None:
    """Fetches a deployed function's code into DIR.

    DIR is a new or empty folder. FUNCTION is one of the site's, or any Lambda function's name or
    ARN in the account.
    """
    from runner.fetch import fetch_from, loopback
    from runner.operate.code import get as fetch_code
    from runner.operate.find import find
    from runner.report.code import got_document, got_text

    aws, names = account(options)
    target, described = find(aws, names, word=function)
    near = loopback(os.environ.get("AWS_ENDPOINT_URL", ""))
    got = fetch_code(
        target,
        described,
        folder=folder,
        fetch_from=lambda base: fetch_from(base, connect_to=near),
    )
    tell(options, got_document(got), got_text(got))


@cli.command()
@with_options
@click.argument("function")
@click.option("--event", type=click.File("rb"), required=True, help="JSON file; - reads stdin.")
@_OF_PREVIEW
def invoke(options: Options, function: str, event: BinaryIO, *, number: int | None) -> None:
    """Calls a deployed function once.

    Prints what it returns; status 2 if it failed. FUNCTION is one of the site's, called in its live
    version, or any Lambda function's name or ARN in the account.
    """
    from runner.operate.call import document, event_of
    from runner.operate.call import invoke as call
    from runner.operate.find import find
    from runner.report.called import called_text, payload_text

    payload = event_of(event.read(), event.name)
    aws, names = _account(options, number)
    called = call(aws, find(aws, names, word=function)[0], payload)
    with_log = options.verbose or bool(called.failure and not options.as_json)
    click.echo(called_text(called, with_log=with_log), err=True)
    tell(options, document(called), payload_text(called.answer))
    if called.failure:
        sys.exit(called.failure.turn)


def _account(options: Options, number: int | None) -> tuple[Aws, Names]:
    """Production's names, or those of a pull request's preview."""
    aws, names = account(options)
    return aws, names.preview(number) if number else names
