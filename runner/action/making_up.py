"""A comment that never came, because GitHub was not there when the preview was: told later.

How to look at a private preview is told again, too: its password is derived or read anew, and told
only if the preview's door opens to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from runner.action.job import Job
from runner.aws import keyvalues, preview_records, previews
from runner.aws.preview_records import Known
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.errors import JamError
from runner.github.attempt import Missed
from runner.model import Origin
from runner.names import Names
from runner.plan.order import is_older
from runner.report.comment import UNSURE, Row, State
from runner.report.text import Outcome
from runner.wish import password_of


def make_up(job: Job, aws: Aws, names: Names) -> None:
    """Every preview whose comment is behind what it shows."""
    with explained():
        there = preview_records.every(aws, names.previews)
    unheard = [each for each in there if each.release and _is_unheard(job, names, each)]
    if not unheard:
        return
    with explained():
        store = keyvalues.find(aws, names.previews)
        values = keyvalues.contents(aws, store) if store else {}
    for known in unheard:
        job.log.note(f"pull request {known.number} never heard of its preview: it does now")
        _tell(job, aws, names, known=known, values=values)


def _tell(job: Job, aws: Aws, names: Names, *, known: Known, values: Mapping[str, str]) -> None:
    telling = job.tell(names.site, pull=known.number)
    doors = _doors(job, aws, known, values)
    for secret in (doors.password, doors.bypass):
        job.console.mask(secret)
    commit = previews.commit_host(known.host, known.release)
    row = replace(
        telling.row(State.READY),
        origin=known.origin,
        outcome=_outcome(names, known),
        shows=known.origin.commit,
        commit_url=f"https://{commit}" if previews.host_key(commit) in values else "",
        password=doors.password,
        bypass=doors.bypass,
        qr=job.inputs.qr_code,
    )
    telling.comment(row)


@dataclass(frozen=True, slots=True)
class _Doors:
    """Empty where everybody may look, or where nobody can tell how."""

    password: str = ""
    bypass: str = ""


def _doors(job: Job, aws: Aws, known: Known, values: Mapping[str, str]) -> _Doors:
    shown = _told(values.get(previews.host_key(known.host), ""))
    secret = str(_told(values.get(previews.SECRET, "")).get("t", ""))
    if not (shown.get("p") and secret):
        return _Doors()
    bypass = previews.bypass_of(secret, known.environment)
    try:
        config = job.config(publishes=False)
        password = password_of(config, job.world, aws, secret=secret, environment=known.environment)
    except JamError as error:
        job.log.note(f"{known.environment}: the password is not told: {error.message}")
        return _Doors()
    doors = previews.doors(known.environment, password=password, bypass=bypass)
    return _Doors(password, bypass) if doors.items() <= shown.items() else _Doors()


def _told(value: str) -> dict[str, Any]:
    try:
        told = json.loads(value)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _is_unheard(job: Job, names: Names, known: Known) -> bool:
    """Whether the comment shows another commit than the preview, or still builds, or has failed
    since which a newer run has shown something."""
    rows = job.tell(names.site, pull=known.number).rows()
    if isinstance(rows, Missed):
        return False
    return all(_is_behind(each, known.origin) for each in rows if each.site == names.site)


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
