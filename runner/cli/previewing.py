"""Commands for pull requests' environments: preview, previews."""

from __future__ import annotations

import click

from runner.cli.group import cli
from runner.cli.options import Options, tell, with_options
from runner.cli.world import account, config_of, world_of


@cli.command()
@with_options
@click.option("--pr", "number", type=click.IntRange(1, 999_999_999), required=True, help="Number.")
@click.option("--close", is_flag=True, help="Take it away again.")
@click.option("--public", is_flag=True, help="Without a password: anybody may look.")
@click.option("--show-password", is_flag=True, help="Tell it in --json and in workflows' logs too.")
def preview(
    options: Options, *, number: int, close: bool, public: bool, show_password: bool
) -> None:
    """A pull request's environment, with its own URL.

    Private unless --public is said: a password is made up, or read from where [preview] says.
    """
    from runner.preview import Pull
    from runner.preview import preview as show
    from runner.report.text import summary

    if close:
        _close(options, number)
        return
    config = config_of(options)
    with world_of(options, releases=True) as world:
        shown = show(config, world, Pull(number=number, private=not public))
    if options.as_json:
        click.echo(shown.to_json(access=show_password))
        return
    click.echo(summary(shown.outcome, ()))
    is_public_log = world.environment.get("GITHUB_ACTIONS") == "true" and not show_password
    if shown.password and not is_public_log:
        click.echo(f"  user preview, password {shown.password}")


def _close(options: Options, number: int) -> None:
    from runner.closing import close
    from runner.report.text import closed_text
    from runner.turn import origin_of, run_of

    aws, names = account(options)
    with world_of(options) as world:
        outcome = close(
            aws,
            names.preview(number),
            world,
            run=run_of(world.environment),
            origin=origin_of(world.environment),
        )
    click.echo(outcome.to_json() if options.as_json else closed_text(outcome))


@cli.command()
@with_options
def previews(options: Options) -> None:
    """Lists pull requests' environments: address, commit, author, since when, age.

    A preview is `changing` while a run is at it; `closing` and `unfinished` are those whose run
    ended early: the next push, closing or `gc` goes on from there.
    """
    from runner.operate.previews import previews as look
    from runner.report.previews import previews_document, previews_text

    found = look(*account(options))
    tell(options, previews_document(found), previews_text(found))
