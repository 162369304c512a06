"""`gc` in a workflow: what is past its time goes, and what GitHub did not hear is made up."""

from __future__ import annotations

from dataclasses import replace

from runner.action.job import Job
from runner.action.page import page
from runner.aws import preview_records
from runner.aws.preview_records import Known
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.closing import close
from runner.collect import collect as collect_releases
from runner.github.attempt import Missed
from runner.names import PRODUCTION, Names
from runner.plan.retention import Retention
from runner.report.comment import Row, State
from runner.report.text import Outcome
from runner.report.tidying import collected_text


def collect(job: Job) -> Outcome:
    """Previews whose pull request is closed, then releases past retention."""
    settings = job.config(publishes=False).settings.production.retention
    retention = Retention(releases=settings.releases, days=settings.days)
    aws, names = job.account()
    with job.log.stage("previews"), explained():
        for each in preview_records.every(aws, names.previews):
            _see_to(job, aws, names, each)
    with job.log.stage("gc"):
        found = collect_releases(aws, names, retention, run=job.run_url, say=job.log.note)
    text = collected_text(names.site, found)
    job.console.line(text)
    job.console.summary(page(f"{names.site}: gc", text))
    return Outcome(
        site=names.site, environment=PRODUCTION, release="", previous="", url="", api_url="",
        prefix="", outcome="removed" if found.removed else "unchanged", seconds=0.0,
        calls=aws.calls,
    )  # fmt: skip


def _see_to(job: Job, aws: Aws, names: Names, known: Known) -> None:
    """A preview whose closing never came goes now; a comment that never came is made up."""
    telling = job.tell(names.site, pull=known.number)
    if not known.is_gone and telling.is_closed():
        close(aws, names.preview(known.number), job.world, run=job.run_url, origin=known.origin)
        telling.retire()
        telling.comment(replace(telling.row(State.REMOVED), origin=known.origin))
    elif known.release and _is_unheard(telling.rows(), names.site, known):
        job.log.note(f"pull request {known.number} never heard of its preview: it does now")
        row = replace(
            telling.row(State.READY),
            origin=known.origin,
            outcome=_outcome(names, known),
            shows=known.origin.commit,
        )
        telling.comment(row)


def _is_unheard(rows: tuple[Row, ...] | Missed, site: str, known: Known) -> bool:
    """Whether the comment shows another commit than the preview."""
    if isinstance(rows, Missed):
        return False
    return all(each.shows != known.origin.commit for each in rows if each.site == site)


def _outcome(names: Names, known: Known) -> Outcome:
    there = names.preview(known.number)
    return Outcome(
        site=names.site, environment=known.environment, release=known.release, previous="",
        url=f"https://{known.host}" if known.host else "", api_url="",
        prefix=f"{there.objects}/releases/{known.release}/", outcome="live", seconds=0.0, calls=0,
    )  # fmt: skip
