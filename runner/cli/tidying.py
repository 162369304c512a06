"""Commands that account for what there is, and take it away: audit, gc, destroy."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from runner.cli.group import cli
from runner.cli.options import Options, tell, with_options
from runner.cli.world import account, local_config, watcher_of
from runner.errors import Turn

if TYPE_CHECKING:
    from runner.clearing import Clearing, Pulls
    from runner.plan.inventory import Thing


@cli.command()
@with_options
def audit(options: Options) -> None:
    """Lists what bears our names or tags, and the record that explains each.

    Ends with status 3 if nothing explains one.
    """
    from runner.audit import audit as look
    from runner.report.tidying import audit_document, audit_text, unexplained_hint

    found = look(*account(options))
    tell(options, audit_document(found), audit_text(found))
    if found.unexplained:
        click.echo(f"hint: {unexplained_hint()}", err=True)
        raise click.exceptions.Exit(Turn.AWS)


@cli.command()
@with_options
def gc(options: Options) -> None:
    """Removes previews that are over, releases past retention, and what killed runs left.

    A preview is over once its pull request is closed, which GITHUB_TOKEN and GITHUB_REPOSITORY let
    it ask, and [preview] expire after the last push. [production.retention] says which releases
    are kept; the live one always is, and the one before.
    """
    from runner.clearing import clear
    from runner.collect import collect
    from runner.plan.retention import Retention
    from runner.report.tidying import collected_document, collected_text
    from runner.turn import run_of

    settings = local_config(options, publishes=False).settings
    kept = settings.production.retention
    retention = Retention(releases=kept.releases, days=kept.days)
    aws, names = account(options)
    with watcher_of(options) as watcher, watcher.stage("gc"):
        clearing = _clearing(settings.preview.expire, say=watcher.note)
        previews = clear(aws, names, clearing)
        found = collect(aws, names, retention, run=run_of(os.environ), say=watcher.note)
    document = collected_document(names.site, found, previews)
    tell(options, document, collected_text(names.site, found, previews))


def _clearing(expire: str, *, say: Callable[[str], None]) -> Clearing:
    from runner.clearing import Clearing
    from runner.closing import Closing
    from runner.plan.overdue import seconds
    from runner.turn import origin_of, run_of

    closing = Closing(run=run_of(os.environ), origin=origin_of(os.environ), say=say)
    return Clearing(closing=closing, pulls=_pulls(say), expire=seconds(expire))


def _pulls(say: Callable[[str], None]) -> Pulls:
    """GitHub's word where the environment leads there, else nobody's."""
    from runner.clearing import Nobody

    token, repository = (os.environ.get(f"GITHUB_{it}", "") for it in ("TOKEN", "REPOSITORY"))
    if not (token and repository):
        say("without GITHUB_TOKEN and GITHUB_REPOSITORY nobody can tell which pull requests are "
            "closed: previews go by age alone")  # fmt: skip
        return Nobody()
    from runner.github.client import connect
    from runner.github.pulls import OpenPulls

    address = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    github = connect(address, token, repository, sleep=time.sleep, now=time.time)
    return OpenPulls(github, say=say)


@cli.command()
@with_options
@click.option("--environment", default="", help="Only production, previews or pr-7.")
@click.option("--all", "everything", is_flag=True, help="Everything of the site.")
@click.option("--with-tables", default="", help="Tables of production that go too: NAME,...")
@click.option("--yes", is_flag=True, help="Ask nothing.")
def destroy(
    options: Options, *, environment: str, everything: bool, with_tables: str, yes: bool
) -> None:
    """Removes everything of the site, or of one environment, from the account.

    Production's tables stay unless they are named. What is not ours is left alone.
    """
    from runner.destroy import Doom, survey
    from runner.destroy import destroy as remove
    from runner.report.tidying import removed_document, removed_text, stack_hint
    from runner.turn import run_of

    if everything == bool(environment):
        raise click.UsageError("Say either --all or --environment (production, previews, pr-7).")
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here: --yes says that you mean it.")
    aws, names = account(options)
    tables = frozenset(each.strip() for each in with_tables.split(",") if each.strip())
    doom = Doom(environment=environment, tables=tables, run=run_of(os.environ))
    if not yes:
        _ask(names.site, survey(aws, names, doom).going)
    with watcher_of(options) as watcher, watcher.stage("destroy"):
        doomed, removed = remove(aws, names, doom, say=watcher.note)
    document = removed_document(names.site, environment, removed, doomed.left)
    tell(options, document, removed_text(names.site, removed, doomed.left))
    if everything and (hint := stack_hint(names.site, doomed, region=names.region)):
        click.echo(hint, err=True)


def _ask(site: str, going: tuple[Thing, ...]) -> None:
    for each in going:
        click.echo(f"  {each.kind} {each.name}", err=True)
    question = f"Remove these {len(going)} resources of {site} for ever?"
    click.confirm(question, default=False, abort=True, err=True)
