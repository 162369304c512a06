"""The command group that every command joins."""

from __future__ import annotations

import click

from runner import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Deploys a JAMstack site with serverless functions into your own AWS account."""
