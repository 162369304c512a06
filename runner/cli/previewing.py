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
def preview(options: Options, *, number: int, close: bool, public: bool) -> None:
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
    with world_of(options) as world:
        shown = show(config, world, Pull(number=number, private=not public))
    click.echo(shown.outcome.to_json() if options.as_json else summary(shown.outcome, ()))
    if shown.password and not options.as_json:
        click.echo(f"password: {shown.password}")


def _close(options: Options, number: int) -> None:
    from runner.closing import close
    from runner.report.text import summary
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
    click.echo(outcome.to_json() if options.as_json else summary(outcome, ()))


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
