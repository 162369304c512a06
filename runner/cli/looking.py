"""The command that looks at everything: doctor."""

from __future__ import annotations

import os

import click

from runner.cli.group import cli
from runner.cli.options import Options, tell, with_options
from runner.cli.world import account, local_config
from runner.errors import Turn


@cli.command()
@with_options
def doctor(options: Options) -> None:
    """Looks at everything, and says how to put right what is wrong.

    Credentials, permissions, quotas, drift, what is open. Ends with status 3 if anything is wrong.
    """
    from runner.doctor import doctor as look
    from runner.doctor import practice_of
    from runner.fetch import loopback
    from runner.report.doctor import doctor_document, doctor_text

    config = local_config(options, publishes=False)
    practice = practice_of(config, near=loopback(os.environ.get("AWS_ENDPOINT_URL", "")))
    health = look(*account(options), practice)
    tell(options, doctor_document(health), doctor_text(health))
    if not health.is_well:
        raise click.exceptions.Exit(Turn.AWS)
