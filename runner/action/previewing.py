"""A pull request's preview as GitHub sees it: begun, shown or failed, and away again.

A pull request that was closed meanwhile is tidied up by whoever made its preview: its own closing
may have come and gone before there was anything to close.
"""

from __future__ import annotations

from dataclasses import replace

from runner.action.job import Job
from runner.action.telling import Telling
from runner.aws.published import read_live
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.closing import close as take_away
from runner.config.load import Config
from runner.errors import JamError
from runner.fetch import Fetch, fetch_from
from runner.github.values import DeploymentStatus
from runner.names import Names
from runner.package.summary import Summary, summary_of, text_of
from runner.plan.difference import difference
from runner.preview import Pull, Shown, preview
from runner.report.comment import Row, State, fault_of, state_of, summary
from runner.report.text import Outcome
from runner.world import near

FILES_ALONE = "Files alone: functions of a fork run nowhere near credentials, so none is shown."


def show(job: Job, number: int) -> Outcome:
    """Builds the pull request's head and shows it."""
    if site := job.site():
        job.tell(site, pull=number)
    try:
        config = job.config()
    except JamError as error:
        if job.telling:
            failed(job, job.telling, error)
        raise
    return shown_as(job, config, number=number)


def shown_as(job: Job, config: Config, *, number: int, files_alone: bool = False) -> Outcome:
    """The same with settings that are known; with `files_alone` the site has functions all the
    same, which nobody calls removed."""
    telling, commit = job.tell(config.site, pull=number), job.event.origin.commit
    if telling.is_closed():
        return close(job, number)
    telling.begin(commit)
    telling.comment(telling.row(State.BUILDING))
    pull = Pull(
        number=number,
        private=job.event.repository.private,
        origin=job.event.origin,
        is_open=telling.is_open,
        waits=lambda why: telling.comment(replace(telling.row(State.QUEUED), note=why)),
    )
    try:
        shown = preview(config, job.world, pull)
    except JamError as error:
        failed(job, telling, error)
        raise
    for secret in (shown.password, shown.bypass):
        job.console.mask(secret)
    if shown.outcome.outcome not in ("removed", "superseded") and telling.is_closed():
        return close(job, number)
    _tell(job, telling, shown, files_alone=files_alone)
    return shown.outcome


def close(job: Job, number: int) -> Outcome:
    """Takes the preview away; builds nothing."""
    aws, names = job.account()
    telling = job.tell(names.site, pull=number)
    outcome = take_away(
        aws, names.preview(number), job.world, run=job.run_url, origin=job.event.origin
    )
    if outcome.outcome == "removed":
        telling.retire()
        row = telling.row(State.REMOVED)
        telling.comment(row)
        job.console.summary(summary(row))
    return outcome


def failed(job: Job, telling: Telling, error: JamError) -> None:
    """A preview that shows something already goes on showing it."""
    row = replace(
        telling.row(State.FAILED),
        fault=fault_of(error),
        last_lines=job.log.last_lines,
        stages=job.log.stages,
    )
    telling.failed(f"{error.code}: {error.message}")
    telling.comment(row)
    job.console.summary(summary(row))


def _tell(job: Job, telling: Telling, shown: Shown, *, files_alone: bool) -> None:
    row = _row(job, telling, shown, files_alone=files_alone)
    job.console.summary(summary(row))
    if shown.outcome.outcome in ("removed", "superseded"):
        telling.status(DeploymentStatus(state="inactive", description="a newer run came first"))
        return
    telling.succeeded(job.event.origin.commit, shown.outcome.url)
    telling.comment(row)


def _row(job: Job, telling: Telling, shown: Shown, *, files_alone: bool) -> Row:
    row = replace(
        telling.row(state_of(shown.outcome)),
        outcome=shown.outcome,
        shows=job.event.origin.commit,
        commit_url=shown.commit_url,
        password=shown.password,
        bypass=shown.bypass,
        last_lines=job.log.last_lines,
        stages=job.log.stages,
        qr=job.inputs.qr_code,
        note=FILES_ALONE if files_alone else "",
    )
    if shown.release is None or shown.aws is None:
        return row
    mine, live = summary_of(text_of(shown.release)), _live(job, shown.aws, shown)
    if live and files_alone:
        live = replace(live, functions={})
    changes = difference(live, mine, preview=True) if live else None
    return replace(row, difference=changes)


def _live(job: Job, aws: Aws, shown: Shown) -> Summary | None:
    """What the pull request is compared with: what production's visitors get at this moment."""
    names = Names(shown.outcome.site, aws.account, aws.region, aws.partition)
    connect_to = near(job.world)

    def to(base: str) -> Fetch:
        return fetch_from(base, connect_to=connect_to)

    with explained():
        return read_live(aws, names, newest=shown.published, to=to)
