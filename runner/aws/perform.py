"""From a step to the calls that make it true: one line a step, and no decision.

Everything is harmless to repeat, and goes on where a killed run stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from runner.apply import Known, Moved, Perform, unfenced
from runner.aws import (
    api,
    api_room,
    background,
    domains,
    entry,
    files,
    foundation_steps,
    functions,
    keyvalues,
    preview_api,
    preview_steps,
    previews,
    promotion,
    publishing,
    records,
    roles,
    routings,
    streaming,
)
from runner.aws.beforehand import Beforehand
from runner.aws.files import CopyAll, Put
from runner.aws.leases import Lease
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.whole import put_manifest
from runner.model import Release
from runner.names import Names
from runner.plan.background import BackgroundStep
from runner.plan.domains import DomainStep
from runner.plan.foundation import ENTRY, FoundationStep
from runner.plan.groundwork import Foundation
from runner.plan.origins import AllowOrigins
from runner.plan.previewing import LeadStage, LetGo, PreviewStage, Show
from runner.plan.promotion import OpenRollout, PromotionFoundation
from runner.plan.publishing import AwaitVersions, PublishEntry, PublishFunction
from runner.plan.refs import Made, Ref
from runner.plan.releasing import (
    Activate,
    BringBackRouting,
    CopyFiles,
    DropApiStage,
    GrantFunctions,
    MakeApiStage,
    MoveAlias,
    PutFiles,
    PutManifest,
    RecordFollowed,
    RecordLive,
    RecordRelease,
    RecordStaged,
    ReleaseStep,
    SettleStep,
    SwitchStep,
    TendFunction,
    WriteRouting,
)
from runner.plan.steps import Step, TidyingStep, VisibleStep
from runner.plan.streaming import MoveStream, StreamStep
from runner.together import at_once


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the steps bring to AWS from this machine, and how."""

    put: Put
    copy: CopyAll
    manifest: Callable[[Release], bytes]
    entry_archive: Callable[[Release], bytes]
    guard_archive: Callable[[], bytes]


def performer(
    aws: Aws,
    names: Names,
    *,
    release: Release,
    foundation: Foundation,
    content: Content,
    lease: Lease | None = None,
    beforehand: Beforehand | None = None,
    ends: bool = False,
) -> Perform:
    """Performs the steps of a plan for `release` upon `foundation`.

    What visitors can see is done under the `lease` alone; without one, nobody else may be at it.
    `ends`: nothing is done under it after the record of what is live, which frees it as well.
    """
    return _Performer(
        aws,
        names,
        release=release,
        foundation=foundation,
        content=content,
        lease=lease,
        beforehand=beforehand or Beforehand(),
        ends=ends,
    )


# These ask the fence between what they read and the write that it guards.
_FENCED_INSIDE = (MoveAlias, MoveStream, Activate, LeadStage, Show, RecordLive)


class _Performer:
    def __init__(
        self,
        aws: Aws,
        names: Names,
        *,
        release: Release,
        foundation: Foundation,
        content: Content,
        lease: Lease | None,
        beforehand: Beforehand,
        ends: bool,
    ) -> None:
        self._aws = aws
        self._names = names
        self._release = release
        self._unattended = foundation.unattended
        self._content = content
        self._lease = lease
        self._beforehand = beforehand
        self._ends = ends
        self._fence = lease.check if lease else unfenced

    def __call__(self, step: Step, known: Known, moved: Moved) -> Known:
        with explained():
            if isinstance(step, VisibleStep | TidyingStep):
                self._enter(step)
            if isinstance(step, BackgroundStep):
                # The acceptor is all previews'.
                names = self._names if self._names.is_shared else self._names.previews
                return background.performed(self._aws, names, step=step, known=known)
            if isinstance(step, StreamStep):
                return streaming.performed(
                    self._aws, self._names, step=step, known=known, fence=self._fence
                )
            if isinstance(step, DomainStep):
                return domains.performed(self._aws, self._names, step=step, known=known)
            if isinstance(step, AllowOrigins):
                api.allow_origins(self._aws, known[Ref(Made.API)], wanted=step)
                return {}
            if isinstance(step, PromotionFoundation):
                return promotion.made(
                    self._aws,
                    self._names,
                    step=step,
                    known=known,
                    guard_archive=self._content.guard_archive,
                )
            if isinstance(step, FoundationStep):
                unattended = self._unattended
                return foundation_steps.performed(
                    self._aws, self._names, step=step, known=known, unattended=unattended
                )
            if isinstance(step, PreviewStage):
                return preview_steps.performed(
                    self._aws,
                    self._names,
                    step=step,
                    known=known,
                    put=self._content.put,
                    copy=self._content.copy,
                    moved=moved,
                )
            if isinstance(step, ReleaseStep):
                return self._stage(step, known, moved=moved)
            self._switch(step, known)
            return {}

    def _enter(self, step: VisibleStep | TidyingStep) -> None:
        """From the first visible step on a run that dies leaves something to mend."""
        if isinstance(step, RecordStaged):
            return
        if self._lease:
            self._lease.begin()
        if not isinstance(step, _FENCED_INSIDE):
            self._fence()

    def _stage(self, step: ReleaseStep, known: Known, *, moved: Moved) -> Known:
        aws, names, content = self._aws, self._names, self._content
        match step:
            case RecordRelease(release=release, origin=origin, owns=owns):
                records.record_release(aws, names, release=release, origin=origin, makes=owns)
            case GrantFunctions(grants=grants):
                arn = roles.make_granted(aws, names, grants=grants)
                return dict.fromkeys(step.makes, arn)
            case PutFiles(release=release, files=wanted):
                uploads = (
                    files.upload_of(file, release, names, over=file.key in step.over)
                    for file in wanted
                )
                content.put(aws, names.bucket, uploads, moved=moved)
            case CopyFiles(release=release, origin=source, files=wanted):
                copies = (
                    files.copy_of(file, release, origin=source, names=names) for file in wanted
                )
                content.copy(aws, names.bucket, copies, moved=moved)
            case PutManifest(release=whole):
                put_manifest(
                    aws,
                    names,
                    release=whole,
                    manifest=content.manifest(whole),
                    known=known,
                    put=content.put,
                    moved=moved,
                )
            case PublishFunction() | PublishEntry() | AwaitVersions():
                return publishing.performed(
                    aws,
                    names,
                    step=step,
                    known=known,
                    entry_archive=content.entry_archive,
                    beforehand=self._beforehand,
                )
            case MakeApiStage():
                return self._api_stage(step, known)
            case WriteRouting(release=release, routing=routing, header_sets=sets):
                keys = keyvalues.routing_keys(
                    release, routing, header_sets=sets, within=names.within
                )
                store = known[Ref(Made.STORE)]
                seen = self._beforehand.at_revision(store)
                keyvalues.write(aws, store, puts=keys, seen=seen)
                return dict.fromkeys(step.makes, str(aws.clock()))
            case BringBackRouting(releases=releases):
                store = known[Ref(Made.STORE)]
                routings.bring_back(aws, names, store=store, releases=releases)
            case _:
                assert_never(step)
        return dict.fromkeys(step.makes, "")

    def _api_stage(self, step: MakeApiStage, known: Known) -> Known:
        made: Known = dict.fromkeys(step.makes, "")
        if not self._names.is_shared:
            return preview_api.make_stage(
                self._aws,
                self._names,
                step=step,
                known=known,
                fence=self._fence,
                seen=self._beforehand.at_stage(),
            )
        api.make_stage(
            self._aws,
            self._names,
            api_stage=step.api_stage,
            functions=step.functions,
            api=step.api,
            known=known,
            lease=self._lease,
            again=step.again,
            seen=self._beforehand.at_api(),
        )
        return made

    def _switch(
        self,
        step: SwitchStep | SettleStep | OpenRollout | LeadStage | Show | LetGo,
        known: Known,
    ) -> None:
        aws, names = self._aws, self._names
        match step:
            case RecordStaged(release=release):
                records.record_staged(aws, names, release=release, known=known)
            case MoveAlias():
                version = known[Ref(Made.VERSION, ENTRY)]
                seen = self._beforehand.at_revision(names.entry)
                entry.move_alias(aws, names, version=version, fence=self._fence, seen=seen)
            case Activate(release=active, routing=routing):
                value = {keyvalues.LIVE: keyvalues.live_value(active, routing)}
                store = known[Ref(Made.STORE)]
                seen = self._beforehand.at_revision(store)
                keyvalues.write(aws, store, puts=value, fence=self._fence, seen=seen)
            case LeadStage():
                preview_api.lead(aws, names, step=step, known=known, fence=self._fence)
            case Show():
                seen = self._beforehand.at_revision(known[Ref(Made.STORE)])
                with at_once(1) as pool:
                    before = pool.submit(preview_api.drop_before, aws, known)
                    previews.show(aws, names, step=step, known=known, fence=self._fence, seen=seen)
                    before.result()
            case LetGo():
                preview_steps.let_go(
                    aws, names, step=step, release=self._release, known=known, lease=self._lease
                )
            case OpenRollout():
                promotion.open_rollout(
                    aws, names, step=step, release=self._release, known=known, fence=self._fence
                )
            case RecordLive():
                records.record_live(
                    aws,
                    names,
                    step=step,
                    release=self._release,
                    known=known,
                    lease=self._lease,
                    ends=self._ends,
                )
            case TendFunction(function=function, upkeep=upkeep):
                functions.tend(aws, names, function=function, upkeep=upkeep)
            case RecordFollowed(sequence=sequence):
                records.record_followed(aws, names, sequence=sequence)
            case DropApiStage(api_stage=stage, releases=releases):
                # The routing first: a function of a release without it goes to live's api_stage.
                keyvalues.drop(aws, known[Ref(Made.STORE)], keys=[f"r/{each}" for each in releases])
                api_room.drop_stage(aws, known[Ref(Made.API)], api_stage=stage)
            case _:
                assert_never(step)
