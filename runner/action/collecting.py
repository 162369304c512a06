"""`gc` in a workflow: what is past its time goes, and what GitHub did not hear is made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runner.action.job import Job
from runner.action.making_up import make_up
from runner.action.page import page
from runner.aws.preview_records import Known
from runner.clearing import Clearing, Nobody, Pulls, clear
from runner.closing import Closing
from runner.collect import collect as collect_releases
from runner.errors import JamError
from runner.github.pulls import OpenPulls
from runner.names import PRODUCTION, Names
from runner.plan.overdue import seconds
from runner.plan.retention import Retention
from runner.report.comment import State
from runner.report.text import Outcome
from runner.report.tidying import collected_text


def collect(job: Job) -> Outcome:
    """Previews whose pull request is closed or forgotten, then releases past retention."""
    settings = job.config(publishes=False).settings
    kept = settings.production.retention
    retention = Retention(releases=kept.releases, days=kept.days)
    aws, names = job.account()
    unknown: list[str] = []  # why nobody could tell which pull requests are open
    with job.log.stage("gc"):
        previews = clear(aws, names, _clearing(job, settings.preview.expire, unknown.append))
        found = collect_releases(aws, names, retention, run=job.run_url, say=job.log.note)
    with job.log.stage("tell"):
        for each, why in previews.gone:
            _tell_gone(job, names, each, why)
        make_up(job, aws, names)
    text = "\n".join([*unknown, collected_text(names.site, found, previews)])
    job.console.line(text)
    job.console.summary(page(f"{names.site}: gc", text))
    went = previews.gone or previews.removed or found.removed or found.expired
    return Outcome(
        site=names.site, environment=PRODUCTION, release="", previous="", url="", api_url="",
        prefix="", outcome="removed" if went else "unchanged", seconds=0.0, calls=aws.calls,
    )  # fmt: skip


def _clearing(job: Job, expire: str, unknown: Callable[[str], None]) -> Clearing:
    def say(missed: str) -> None:
        told = f"{missed} Until then previews go by age alone."
        job.console.warning(told, title="GitHub was not asked")
        unknown(told)

    closing = Closing(run=job.run_url, origin=job.event.origin, say=job.log.note)
    return Clearing(closing=closing, pulls=_pulls(job, say), expire=seconds(expire))


def _pulls(job: Job, say: Callable[[str], None]) -> Pulls:
    try:
        return OpenPulls(job.github(), say=say)
    except JamError as error:
        say(f"{error.message}. {error.hint}")
        return Nobody()


def _tell_gone(job: Job, names: Names, known: Known, why: str) -> None:
    telling = job.tell(names.site, pull=known.number)
    telling.retire()
    telling.comment(replace(telling.row(State.REMOVED), origin=known.origin, note=why))
