"""Commands that a person starts by hand, with `workflow_dispatch`: what each does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.action import collecting, releasing
from runner.action.job import Job
from runner.action.page import page
from runner.aws import holds
from runner.aws.session import Aws
from runner.errors import JamError, aws_error, site_error
from runner.names import PRODUCTION, Names
from runner.plan.live import Hold
from runner.report.text import Outcome
from runner.world import near

if TYPE_CHECKING:
    from runner.rollback import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A command with all that it works on."""

    job: Job
    aws: Aws
    names: Names
    release: str


Said = Outcome | str  # a result, or what a person reads


def dispatch(job: Job, command: str, release: str) -> Outcome:
    """Does it; what a person would read of it is in the log and on the job's page."""
    if command == "deploy":
        return releasing.release(job)
    if command == "gc":
        return collecting.collect(job)
    aws, names = job.account()
    said = _COMMANDS[command](_Asked(job=job, aws=aws, names=names, release=release))
    if isinstance(said, Outcome):
        return said
    job.console.line(said)
    job.console.summary(page(f"{names.site}: {command}", said))
    return plain(names.site, PRODUCTION)


def plain(site: str, environment: str) -> Outcome:
    """Of a command that changes no environment."""
    return Outcome(
        site=site, environment=environment, release="", previous="", url="", api_url="",
        prefix="", outcome="", seconds=0.0, calls=0,
    )  # fmt: skip


def _wish(it: _Asked) -> Wish:
    from runner.rollback import Wish

    job = it.job
    return Wish(
        release=it.release, by=job.event.origin.author, run=job.run_url, near=near(job.world)
    )


def _way_back(it: _Asked) -> str:
    from runner.report.returning import plan_text
    from runner.rollback import way_back

    return plan_text(way_back(it.aws, it.names, _wish(it)))


def _rollback(it: _Asked) -> Outcome:
    from runner.operate.history import history
    from runner.rollback import rollback

    job, wish = it.job, _wish(it)
    outcome, changed = rollback(it.aws, it.names, wish, watcher=job.log, clock=job.world.clock)
    for line in changed:
        job.console.line(line)
    job.console.notice("Production is held: pushes do not go live until `unhold`.", title="Held")
    known = {each.kept.release: each.kept.origin for each in history(it.aws, it.names).releases}
    origin = known.get(outcome.release)
    telling = job.tell(it.names.site)
    if origin:
        telling.begin(origin.commit)
    return releasing.ended(job, telling, outcome, commit=origin.commit if origin else "")


def _promote(it: _Asked) -> Outcome:
    return _settle(it, promote=True)


def _settle(it: _Asked, *, promote: bool = False) -> Outcome:
    from runner.report.rollout import told_of
    from runner.settle import settle, text

    job = it.job
    settled = settle(
        it.aws, it.names, promote=promote, run=job.run_url, watcher=job.log, clock=job.world.clock
    )
    job.console.line(text(settled))
    outcome = replace(
        plain(it.names.site, PRODUCTION),
        release=settled.release,
        previous=settled.previous,
        url=settled.url,
        outcome=settled.outcome,
        rollout=told_of(settled.ended) if settled.ended else None,
    )
    return releasing.ended(job, job.tell(it.names.site), outcome, commit="")


def _hold(it: _Asked) -> str:
    from runner.standing import environment_of

    environment_of(it.aws, it.names)  # there must be something to keep
    who = it.job.event.origin.author
    holds.put(it.aws, it.names, Hold(by=who, why=it.job.event.title, at=int(it.aws.clock())))
    return f"{it.names.site}: production is held"


def _unhold(it: _Asked) -> str:
    holds.drop(it.aws, it.names)
    return f"{it.names.site}: production is free"


def _status(it: _Asked) -> str:
    from runner.operate.status import status
    from runner.report.status import status_text

    return status_text(status(it.aws, it.names))


def _releases(it: _Asked) -> str:
    from runner.operate.history import history
    from runner.report.returning import history_text

    return history_text(history(it.aws, it.names))


def _previews(it: _Asked) -> str:
    from runner.operate.previews import previews
    from runner.report.previews import previews_text

    return previews_text(previews(it.aws, it.names))


def _audit(it: _Asked) -> str:
    from runner.audit import audit
    from runner.report.tidying import audit_text, unexplained_hint

    found = audit(it.aws, it.names)
    if found.unexplained:
        raise aws_error("JAM-UNEXPLAINED", audit_text(found), hint=unexplained_hint())
    return audit_text(found)


def _doctor(it: _Asked) -> str:
    from runner.doctor import doctor, practice_of
    from runner.report.doctor import doctor_text

    practice = practice_of(it.job.config(publishes=False), near=near(it.job.world))
    health = doctor(it.aws, it.names, practice)
    if not health.is_well:
        raise aws_error(
            "JAM-UNWELL", doctor_text(health), hint="Each line above says how to put it right."
        )
    return doctor_text(health)


def _destroy(it: _Asked) -> str:
    from runner.destroy import Doom, destroy
    from runner.report.tidying import removed_text, stack_hint

    named = it.job.inputs.environment
    if not named:
        raise _what_to_destroy()
    doom = Doom(environment="" if named == "all" else named, run=it.job.run_url)
    with it.job.log.stage("destroy"):
        doomed, removed = destroy(it.aws, it.names, doom, say=it.job.log.note)
    if named in (PRODUCTION, "all"):
        it.job.tell(it.names.site).retire()
    if named == "all" and (hint := stack_hint(it.names.site, doomed, region=it.names.region)):
        it.job.console.notice(hint, title="The account's stack")
    return removed_text(it.names.site, removed, doomed.left)


def _what_to_destroy() -> JamError:
    return site_error(
        "JAM-INPUT",
        "`destroy` takes away what the input `environment` names, and that is empty.",
        hint="Say `environment: production`, `previews` or `pr-7`, or `all` for everything of the "
        "site.",
    )


_COMMANDS: Mapping[str, Callable[[_Asked], Said]] = {
    "rollback": _rollback,
    "rollback --plan": _way_back,
    "settle": _settle,
    "settle --promote": _promote,
    "hold": _hold,
    "unhold": _unhold,
    "status": _status,
    "releases": _releases,
    "previews": _previews,
    "audit": _audit,
    "doctor": _doctor,
    "destroy": _destroy,
}
