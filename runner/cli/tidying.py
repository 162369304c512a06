"""Commands that account for what there is, and take it away: audit, gc, destroy."""

from __future__ import annotations

import click

from runner.cli.group import cli
from runner.cli.options import Options, tell, with_options
from runner.cli.world import account
from runner.errors import Turn


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
