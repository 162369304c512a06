"""Commands on one machine: dev, functions, new, cloud, rehearse."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import click

from runner.cli.group import cli
from runner.cli.options import FOLDER, PATH, Options, tell, with_options
from runner.cli.world import local_config, machine, world_of
from runner.errors import Turn


@cli.command()
@with_options
@click.option("--port", default=3999, show_default=True, help="Port on loopback; 0 picks one.")
def dev(options: Options, port: int) -> None:
    """Serves front end and functions behind one port.

    The front end by its own development server, functions as they are saved.
    """
    from runner.develop.serve import serve_site

    serve_site(partial(local_config, options), machine(options), port=port)


@cli.command()
@with_options
@click.option("--port", default=3999, show_default=True, help="Port on loopback; 0 picks one.")
def functions(options: Options, port: int) -> None:
    """Serves the site's functions alone.

    A saved file counts at the next request.
    """
    from runner.develop.serve import serve_functions

    load = partial(local_config, options, publishes=False)
    serve_functions(load, machine(options), port=port)


@cli.group()
def new() -> None:
    """Writes from templates: `new function NAME`."""


@new.command("function")
@with_options
@click.argument("name")
@click.option(
    "--template",
    type=click.Choice(("basic", "html", "table", "invoke")),
    default="basic",
    show_default=True,
    help="JSON; a page; a DynamoDB table; a call of another function.",
)
@click.option("--runtime", type=click.Choice(("node", "python")), default="node", show_default=True)
def new_function(options: Options, name: str, template: str, runtime: str) -> None:
    """Writes the function NAME (notes, notes/[id]) from a template; -v with explaining comments."""
    from dataclasses import asdict

    from runner.develop.new import Wanted
    from runner.develop.new import new_function as write
    from runner.package.functions.discover import Language

    config = local_config(options, publishes=False)
    wanted = Wanted(
        name=name, template=template, language=Language(runtime), explained=options.verbose
    )
    written = write(wanted, config.root, config.functions)
    lines = [f"wrote {written.path}, which answers at {written.route}"]
    if written.settings:
        lines += ["", "add to jam.toml:", "", written.settings.rstrip()]
    if written.commands:
        lines += ["", "then run:", *(f"  {command}" for command in written.commands)]
    tell(options, asdict(written), "\n".join(lines))


@cli.command()
@with_options
@click.option("--port", default=4566, show_default=True, help="Port on loopback; 0 picks one.")
@click.option("--state", type=PATH, help="Folder that survives a restart.")
@click.option("--speed", default=1.0, show_default=True, help="Cloud seconds in one of ours.")
def cloud(options: Options, port: int, state: Path | None, speed: float) -> None:
    """Runs the embedded cloud in the foreground."""
    from runner.local.run import run_cloud

    del options
    run_cloud(port=port, state=state, speed=speed, emit=click.echo)


@cli.command()
@with_options
@click.argument("site_dir", type=FOLDER, default=".")
@click.option("--drill", is_flag=True, help="All candidates, with living and killed runners.")
@click.option("--keep", is_flag=True, help="Leave the cloud running and print the URLs.")
def rehearse(options: Options, site_dir: Path, *, drill: bool, keep: bool) -> None:
    """Plays a site's story on an embedded cloud.

    On a copy of SITE_DIR; no account is touched.
    """
    from runner.rehearse import Wanted, perform
    from runner.report.text import rehearsal_text

    with world_of(options) as world:
        receipt = perform(
            site_dir,
            Wanted(
                environment=os.environ,
                artifacts=Path("artifacts").resolve(),
                watcher=world.watcher,
                clock=world.clock,
                sleep=time.sleep,
                wait=signal.pause,
                keep=keep,
                whole=drill,
            ),
        )
    tell(options, receipt, rehearsal_text(receipt))
    if receipt["outcome"] != "passed":
        sys.exit(Turn.US)
