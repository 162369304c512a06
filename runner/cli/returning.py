"""Commands around what was live before: rollback, hold, unhold, releases."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

import click

from runner.cli.group import cli
from runner.cli.options import Options, tell, with_options
from runner.cli.world import account, account_with, watcher_of

if TYPE_CHECKING:
    from runner.aws.session import Aws
    from runner.names import Names


@cli.command()
@with_options
@click.argument("release", default="")
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would change.")
@click.option("--no-hold", is_flag=True, help="Let the next push go live.")
def rollback(options: Options, release: str, *, only_plan: bool, no_hold: bool) -> None:
    """Goes to a release that was kept, in seconds.

    RELEASE is an id or its beginning; without one it is the release before the live one. Nothing is
    built. Production is held after it, so that the next push does not undo it.
    """
    from runner.aim import aimed
    from runner.fetch import loopback
    from runner.report.returning import plan_document, plan_text
    from runner.report.text import summary
    from runner.rollback import Wish, way_back
    from runner.rollback import rollback as go_back
    from runner.turn import run_of

    wish = Wish(
        release=release,
        hold=not no_hold,
        by=_who(),
        run=run_of(os.environ),
        near=loopback(os.environ.get("AWS_ENDPOINT_URL", "")),
    )
    begun, needs = time.monotonic(), ("functions", "s3", "values", "api")
    aws, names, aim = account_with(options, partial(aimed, wanted=release), *needs)
    if only_plan:
        way = way_back(aws, names, wish, aim=aim)
        tell(options, plan_document(way), plan_text(way))
        return
    with watcher_of(options) as watcher:
        outcome, changed = go_back(
            aws, names, wish, watcher=watcher, clock=time.monotonic, aim=aim, begun=begun
        )
    click.echo(outcome.to_json() if options.as_json else summary(outcome, changed))
    if wish.hold:
        click.echo("Production is HELD: pushes do not go live until `jam-deploy unhold`.", err=True)


@cli.command()
@with_options
@click.option("--why", default="", help="For whoever wonders.")
def hold(options: Options, *, why: str) -> None:
    """Keeps production as it is.

    Pushes are built and staged, and none goes live, until `unhold`.
    """
    from runner.aws import holds
    from runner.plan.live import Hold
    from runner.report.returning import hold_document
    from runner.standing import environment_of

    aws, names = account(options)
    environment_of(aws, names)  # there must be something to keep
    held = Hold(by=_who(), why=why, at=int(aws.clock()))
    holds.put(aws, names, held)
    tell(options, hold_document(names.site, held), f"{names.site}: production is held")


@cli.command()
@with_options
def unhold(options: Options) -> None:
    """Frees production again; nothing goes live by this alone."""
    from runner.aws import holds
    from runner.report.returning import hold_document

    aws, names = account(options)
    holds.drop(aws, names)
    tell(options, hold_document(names.site, None), f"{names.site}: production is free")


@cli.command()
@with_options
@click.option("--open", "opened", metavar="RELEASE", help="A link that shows it for an hour.")
@click.option("--close", is_flag=True, help="End every such link, and what it opened.")
def releases(options: Options, *, opened: str | None, close: bool) -> None:
    """Lists the releases, the newest first: which is live, where each came from, how it did.

    With --open it prints a link to one of them, with its own pages, files and functions; whoever
    follows it has the live site back after an hour, or at /.jam/open. Functions work on live data.
    """
    from runner.operate.history import history
    from runner.report.returning import history_document, history_text

    if opened is not None and close:
        raise click.UsageError("Say either --open RELEASE or --close.")
    aws, names = account(options)
    if opened is not None:
        _open(options, aws, names, release=opened)
        return
    if close:
        _close(options, aws, names)
        return
    found = history(aws, names)
    tell(options, history_document(found), history_text(found))


def _open(options: Options, aws: Aws, names: Names, *, release: str) -> None:
    from runner.fetch import loopback
    from runner.open import open_release
    from runner.report.opened import opened_document, opened_hint, opened_text
    from runner.turn import run_of

    with watcher_of(options) as watcher:
        found = open_release(
            aws,
            names,
            release,
            run=run_of(os.environ),
            watcher=watcher,
            clock=time.monotonic,
            near=loopback(os.environ.get("AWS_ENDPOINT_URL", "")),
        )
    click.echo(opened_hint(found), err=True)
    tell(options, opened_document(found), opened_text(found))


def _close(options: Options, aws: Aws, names: Names) -> None:
    from runner.open import close_all
    from runner.report.opened import closed_document, closed_text
    from runner.turn import run_of

    with watcher_of(options) as watcher:
        close_all(aws, names, run=run_of(os.environ), watcher=watcher)
    tell(options, closed_document(names.site), closed_text(names.site))


def _who() -> str:
    return os.environ.get("GITHUB_ACTOR") or os.environ.get("USER", "")
