"""Commands that release: init, bootstrap, plan, deploy."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runner.cli.border import end
from runner.cli.group import cli
from runner.cli.options import Options, tell, with_options
from runner.cli.world import config_of, overrides, region_of, world_of


@cli.command()
@with_options
@click.option("--yes", is_flag=True, help="Take what was detected; ask nothing.")
def init(options: Options, yes: bool) -> None:
    """Looks at the repository, writes jam.toml and a workflow."""
    from runner.initialise import Asking, initialise

    asking = Asking(
        text=lambda question, found: str(click.prompt(question, default=found, err=True)),
        consent=lambda question: bool(click.confirm(question, default=False, err=True)),
    )
    asks = sys.stdin.isatty() and not yes
    written = initialise(
        Path.cwd(),
        overrides(options),
        asking=asking if asks else None,
        say=lambda line: click.echo(line, err=True),
    )
    tell(options, {"written": list(written)}, "\n".join(f"wrote {name}" for name in written))


@cli.command()
@with_options
@click.option("--print", "only_print", is_flag=True, help="Only print the template.")
@click.option(
    "--repository",
    "repositories",
    multiple=True,
    metavar="OWNER/NAME",
    help="Let its workflows deploy; may be given again.",
)
@click.option("--branch", default="", help="That production is deployed from.  [default: main]")
def bootstrap(
    options: Options, only_print: bool, repositories: tuple[str, ...], branch: str
) -> None:
    """Prepares an AWS account, once.

    A CloudFormation stack with the permissions boundary, CodeDeploy's role, and for repositories
    the two roles that their workflows deploy with.
    """
    from runner.aws import bootstrap as stack
    from runner.aws.deploy_roles import Trusted, check
    from runner.world import account_of

    if only_print:
        check(repositories)
        trusted = Trusted(repositories=repositories, branch=branch or "main")
        click.echo(stack.template(trusted if repositories else None))
        return
    with world_of(options) as world:
        stack.bootstrap(
            account_of(world, region=region_of(options)),
            world.watcher.note,
            repositories=repositories,
            branch=branch,
        )
    tell(options, {"stack": stack.STACK}, f"the stack {stack.STACK} is in place")


@cli.command()
@with_options
def plan(options: Options) -> None:
    """Says what deploy would do, and why.

    Builds, but changes nothing in AWS.
    """
    from runner.config.explain import explain
    from runner.decide import decide
    from runner.deploy import foreseen_of
    from runner.report.text import plan_json, plan_text

    config = config_of(options)
    with world_of(options) as world:
        for reason in explain(config):
            world.watcher.note(reason)
        decided = decide(config, world)
        forecast = foreseen_of(decided)
    if options.as_json:
        click.echo(plan_json(decided.plan, decided.release, decided.changes, forecast=forecast))
        return
    for line in decided.changes:
        click.echo(line)
    click.echo(plan_text(decided.plan))
    if forecast:
        click.echo(forecast)


@cli.command()
@with_options
@click.option("--now", is_flag=True, help="All visitors at once.")
@click.option("--no-wait", is_flag=True, help="Return once the rollout is open.")
@click.option("--unprotected", is_flag=True, help="Start without working alarms.")
@click.option("--repair", is_flag=True, help="Look at everything, and put right what differs.")
@click.option("--empty-tables", default="", help="Lost tables that begin anew: NAME,...")
def deploy(
    options: Options,
    *,
    now: bool,
    no_wait: bool,
    unprotected: bool,
    repair: bool,
    empty_tables: str,
) -> None:
    """Builds, packages and releases to production."""
    from runner.deploy import deploy as release
    from runner.report.endings import taken_back
    from runner.report.text import summary
    from runner.world import Way

    config = config_of(options)
    way = Way(
        now=now,
        wait=not no_wait,
        unprotected=unprotected,
        repair=repair or bool(empty_tables),
        empty_tables=frozenset(filter(None, map(str.strip, empty_tables.split(",")))),
    )
    with world_of(options, releases=True) as world:
        deployed = release(config, world, way)
    outcome = deployed.outcome
    click.echo(outcome.to_json() if options.as_json else summary(outcome, deployed.changes))
    if outcome.outcome == "rolled_back":
        end(taken_back(outcome.rollout or {}))
