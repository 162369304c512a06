"""What a job says of one site on its own page: preview, deploy, rollback. Pure."""

from __future__ import annotations

from runner.report.comment.row import Row


def summary(row: Row) -> str:
    """Markdown for `GITHUB_STEP_SUMMARY`. No password: a job's page may have more readers."""
    return row.site
