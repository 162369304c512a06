"""Which pull requests' environments there are, and how they stand. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from runner.aws import preview_records
from runner.aws.preview_records import Known
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.names import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Previews:
    """Those that are not gone, by number; `now` in epoch seconds."""

    site: str
    now: float
    open: tuple[Known, ...]


def previews(aws: Aws, names: Names) -> Previews:
    """One scan of the records."""
    with explained():
        every = preview_records.every(aws, names.previews)
    alive = (each for each in every if each.release or each.releases or is_at_it(each, aws.clock()))
    return Previews(site=names.site, now=aws.clock(), open=tuple(alive))


def is_at_it(known: Known, now: float) -> bool:
    """Whether a run has its lease."""
    return known.busy_until > now


def state(known: Known, now: float) -> str:
    """`live`, `changing` (a run is at it), `closing` and `unfinished` (their run ended early)."""
    if is_at_it(known, now):
        return "changing"
    if known.closed:
        return "closing"
    return "live" if known.release else "unfinished"
