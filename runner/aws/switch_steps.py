"""What visitors can see of a release, and what follows it: pointers, records, what is let go of."""

from __future__ import annotations

from typing import assert_never

from runner.apply import Known
from runner.aws import (
    entry,
    functions,
    keyvalues,
    preview_api,
    previews,
    promotion,
    records,
)
from runner.aws.means import Means
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.foundation import ENTRY
from runner.plan.previewing import LeadStage, Show
from runner.plan.promotion import OpenRollout
from runner.plan.refs import Made, Ref
from runner.plan.releasing import (
    Activate,
    MoveAlias,
    RecordFollowed,
    RecordLive,
    RecordStaged,
    SettleStep,
    SwitchStep,
    TendFunction,
)
from runner.together import at_once

PreviewSwitch = LeadStage | Show


def perform(
    aws: Aws,
    names: Names,
    *,
    step: SwitchStep | SettleStep | OpenRollout | PreviewSwitch,
    known: Known,
    means: Means,
) -> None:
    match step:
        case LeadStage() | Show():
            _switch_preview(aws, names, step=step, known=known, means=means)
        case TendFunction() | RecordFollowed():
            _settle(aws, names, step=step)
        case RecordStaged(release=release):
            records.record_staged(aws, names, release=release, known=known)
        case MoveAlias():
            version = known[Ref(Made.VERSION, ENTRY)]
            seen = means.beforehand.at_revision(names.entry)
            entry.move_alias(aws, names, version=version, fence=means.fence, seen=seen)
        case Activate(release=active, routing=routing):
            value = {keyvalues.LIVE: keyvalues.live_value(active, routing)}
            store = known[Ref(Made.STORE)]
            seen = means.beforehand.at_revision(store)
            keyvalues.write(aws, store, puts=value, fence=means.fence, seen=seen)
        case OpenRollout():
            promotion.open_rollout(
                aws, names, step=step, release=means.release, known=known, fence=means.fence
            )
        case RecordLive():
            records.record_live(
                aws,
                names,
                step=step,
                release=means.release,
                known=known,
                lease=means.lease,
                ends=means.ends,
            )
        case _:
            assert_never(step)


def _switch_preview(
    aws: Aws, names: Names, *, step: PreviewSwitch, known: Known, means: Means
) -> None:
    fence = means.fence
    match step:
        case LeadStage():
            preview_api.lead(aws, names, step=step, known=known)
        case Show():
            seen = means.beforehand.at_revision(known[Ref(Made.STORE)])
            with at_once(1) as pool:
                before = pool.submit(preview_api.drop_before, aws, known)
                previews.show(aws, names, step=step, known=known, fence=fence, seen=seen)
                before.result()


def _settle(aws: Aws, names: Names, *, step: SettleStep) -> None:
    match step:
        case TendFunction(function=function, upkeep=upkeep):
            functions.tend(aws, names, function=function, upkeep=upkeep)
        case RecordFollowed(sequence=sequence):
            records.record_followed(aws, names, sequence=sequence)
