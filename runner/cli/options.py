"""What every command takes, and how it ends: one decorator for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from runner.cli.border import Ending, border

PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every command takes."""

    config: Path | None
    site: str | None
    region: str | None
    as_json: bool
    verbose: bool


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the common options, gathered into one `options` argument, and the error border."""

    @wraps(command)
    def run(*, config: Path | None, site: str | None, region: str | None, **rest: Any) -> None:
        as_json, verbose = rest.pop("as_json"), rest.pop("verbose")
        options = Options(config=config, site=site, region=region, as_json=as_json, verbose=verbose)
        with border(Ending(as_json=as_json, verbose=verbose)):
            command(options, **rest)

    for option in (
        click.option("-v", "--verbose", is_flag=True, help="Say more; show where an error arose."),
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
        click.option("--region", help="AWS region, if not from jam.toml or AWS_REGION."),
        click.option("--site", help="Name of the site, if not from jam.toml."),
        click.option("--config", type=PATH, help="Settings file (default: jam.toml)."),
    ):
        run = option(run)
    return run


def tell(options: Options, document: dict[str, Any], text: str) -> None:
    import json

    from runner.report.printable import printable

    as_json = printable(json.dumps(document, indent=2, ensure_ascii=False))
    click.echo(as_json if options.as_json else text)
