"""`gc` in a workflow: what is past its time goes, and what GitHub did not hear is made up."""

from __future__ import annotations

from dataclasses import replace

from runner.action.job import Job
from runner.action.page import page
from runner.aws import preview_records
from runner.aws.preview_records import Known
from runner.aws.refusals import explained
from runner.clearing import Clearing, Nobody, Pulls, clear
from runner.closing import Closing
from runner.collect import collect as collect_releases
from runner.errors import JamError
from runner.github.attempt import Missed
from runner.github.pulls import OpenPulls
from runner.model import Origin
from runner.names import PRODUCTION, Names
from runner.plan.order import is_older
from runner.plan.overdue import seconds
from runner.plan.retention import Retention
from runner.report.comment import UNSURE, Row, State
from runner.report.text import Outcome
from runner.report.tidying import collected_text


def collect(job: Job) -> Outcome:
    """Previews whose pull request is closed or forgotten, then releases past retention."""
    settings = job.config(publishes=False).settings
    kept = settings.production.retention
    retention = Retention(releases=kept.releases, days=kept.days)
    aws, names = job.account()
    with job.log.stage("gc"):
        previews = clear(aws, names, _clearing(job, settings.preview.expire))
        found = collect_releases(aws, names, retention, run=job.run_url, say=job.log.note)
    with job.log.stage("tell"):
        for each, _ in previews.gone:
            _tell_gone(job, names, each)
        with explained():
            there = preview_records.every(aws, names.previews)
        for each in there:
            _make_up(job, names, each)
    text = collected_text(names.site, found, previews)
    job.console.line(text)
    job.console.summary(page(f"{names.site}: gc", text))
    went = previews.gone or previews.removed or found.removed or found.expired
    return Outcome(
        site=names.site, environment=PRODUCTION, release="", previous="", url="", api_url="",
        prefix="", outcome="removed" if went else "unchanged", seconds=0.0, calls=aws.calls,
    )  # fmt: skip


def _clearing(job: Job, expire: str) -> Clearing:
    closing = Closing(run=job.run_url, origin=job.event.origin, say=job.log.note)
    return Clearing(closing=closing, pulls=_pulls(job), expire=seconds(expire))


def _pulls(job: Job) -> Pulls:
    try:
        return OpenPulls(job.github(), say=job.log.note)
    except JamError as error:
        job.console.warning(f"{error.message}: previews go by age alone. {error.hint}")
        return Nobody()


def _tell_gone(job: Job, names: Names, known: Known) -> None:
    telling = job.tell(names.site, pull=known.number)
    telling.retire()
    telling.comment(replace(telling.row(State.REMOVED), origin=known.origin))


def _make_up(job: Job, names: Names, known: Known) -> None:
    """A comment that never came: GitHub was not there when the preview was."""
    telling = job.tell(names.site, pull=known.number)
    if not known.release or not _is_unheard(telling.rows(), names.site, known):
        return
    job.log.note(f"pull request {known.number} never heard of its preview: it does now")
    row = replace(
        telling.row(State.READY),
        origin=known.origin,
        outcome=_outcome(names, known),
        shows=known.origin.commit,
    )
    telling.comment(row)


def _is_unheard(rows: tuple[Row, ...] | Missed, site: str, known: Known) -> bool:
    """Whether the comment shows another commit than the preview, or still builds, or has failed
    since which a newer run has shown something."""
    if isinstance(rows, Missed):
        return False
    return all(_is_behind(each, known.origin) for each in rows if each.site == site)


def _is_behind(row: Row, shown: Origin) -> bool:
    if row.shows != shown.commit:
        return True
    building = row.state in (State.QUEUED, State.BUILDING) and row.origin.run == shown.run
    return building or (row.state in UNSURE and is_older(row.origin, shown, is_ancestor=None))


def _outcome(names: Names, known: Known) -> Outcome:
    there = names.preview(known.number)
    return Outcome(
        site=names.site, environment=known.environment, release=known.release, previous="",
        url=f"https://{known.host}" if known.host else "", api_url="",
        prefix=f"{there.objects}/releases/{known.release}/", outcome="live", seconds=0.0, calls=0,
    )  # fmt: skip
