"""The drill: a command for a real account, that breaks a site of its own."""

from __future__ import annotations

import os
import sys
import time

import click

from runner.cli.group import cli
from runner.cli.options import Options, tell, with_options
from runner.cli.times import times_of
from runner.cli.world import connection, surrounding_region, watcher_of


@cli.command()
@with_options
@click.option("--yes", is_flag=True, help="Ask nothing.")
def drill(options: Options, *, yes: bool) -> None:
    """Breaks a site of its own in your account, and sees it taken back.

    A small site, a release whose function throws, visitors over the network; then all of it is
    taken down. Takes about half an hour in AWS and costs some cents.
    """
    from runner.drill import Wanted, perform, site_of
    from runner.fetch import loopback
    from runner.report.text import drill_text

    times = times_of(os.environ)
    aws = connection(options.region or surrounding_region())
    who = os.environ.get("GITHUB_ACTOR") or os.environ.get("USER", "")
    site = site_of(options.site or "", who=who)
    if not yes:
        _ask(site, account=aws.account, region=aws.region)
    with watcher_of(options) as watcher:
        receipt = perform(
            Wanted(
                site=site,
                region=aws.region,
                environment=os.environ,
                watcher=watcher,
                clock=time.monotonic,
                sleep=time.sleep,
                now=times.now,
                near=loopback(os.environ.get("AWS_ENDPOINT_URL", "")),
                speed=times.speed(),
            )
        )
    tell(options, receipt, drill_text(receipt))
    if receipt["outcome"] != "passed":
        sys.exit(receipt["error"]["status"])


def _ask(site: str, *, account: str, region: str) -> None:
    """On a terminal; elsewhere nobody would answer."""
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here: --yes says that you mean it.")
    click.confirm(
        f"Make the site {site} in account {account}, {region}, break it for visitors of its own, "
        "and take it down again? It takes about half an hour and costs some cents.",
        default=False,
        abort=True,
        err=True,
    )
