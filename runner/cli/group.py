"""The command group that every command joins, and what wrong usage says."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from runner import __version__
from runner.cli.border import Ending, say
from runner.errors import JamError, Turn, site_error


class Commands(click.Group):
    """Ends wrong usage, and a question that was answered with no, as any other failure ends."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        ending = Ending(as_json="--json" in given, verbose=False)
        try:
            status = super().main(given, prog_name, complete_var, standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            known = next((f"jam-deploy {each}" for each in given[:1] if each in self.commands), "")
            status = _ended(ending, _wrong_usage(error, asked=known or "jam-deploy"))
        except click.Abort:
            status = _ended(ending, _NOT_DONE)
        if not standalone_mode:
            return status
        sys.exit(status if isinstance(status, int) else Turn.DONE)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Deploys a JAMstack site with serverless functions into your own AWS account."""


def _ended(ending: Ending, error: JamError) -> int:
    say(ending, error)
    return error.turn


_NOT_DONE = JamError(
    "JAM-CANCELLED",
    "it was not confirmed, so nothing was done",
    hint="Run it again when you mean it; --yes asks nothing.",
    turn=Turn.CANCELLED,
)


def _wrong_usage(error: click.ClickException, *, asked: str) -> JamError:
    return site_error(
        "JAM-USAGE", error.format_message(), hint=f"`{asked} --help` says what it takes."
    )
