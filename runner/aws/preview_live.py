"""Reads what a preview shows, and as much of the rest as its plan needs. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from runner.aws import previews, records
from runner.aws.live import manifest_of, recorded_ids, versions_of, with_files
from runner.aws.records import Environment
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.model import Function
from runner.names import PREVIEWS, Names
from runner.plan.decide import Foundation
from runner.plan.foundation import ENTRY, Role
from runner.plan.live import Live
from runner.plan.refs import Made, Ref
from runner.plan.releasing import role_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all previews of a site share: its record, and the foundation that it should be."""

    environment: Environment
    foundation: Foundation = field(repr=False)

    @property
    def is_firm(self) -> bool:
        return self.environment.foundation == self.foundation.digest


def read(
    aws: Aws, names: Names, *, release: str, shared: Shared, unsure: bool = False
) -> tuple[Live, Environment]:
    """The preview as it is, with its record. `unsure`: a run ended in the middle."""
    with explained():
        there, staged = records.read(aws, names, release=release) or (Environment(), None)
        known = _known(names, shared)
        live = Live(
            release=there.release,
            previous=there.previous,
            sequence=there.sequence,
            foundation=shared.foundation.digest,
            known=known,
            functions=there.functions,
            stages=there.stages,
            origin=there.origin,
            leased=there.holder is not None,
            leasing=there.leasing,
            history=there.history,
            entry_agrees=not unsure and _shows(aws, there),
        )
        if live.release == release and live.entry_agrees:
            return replace(live, known={**known, **_host(there)}), there
        ready = staged is not None and not unsure
        told = versions_of(staged) if staged and ready else {}
        return replace(
            with_files(live, manifest_of(aws, names, release=live.release)),
            known={**known, **told, Ref(Made.VERSION, ENTRY): shared.environment.entry},
            staged=ready,
        ), there


def roles_of(functions: tuple[Function, ...], known: str) -> dict[Ref, str]:
    """All functions of previews have one role, whatever they ask for."""
    return {role_of(each.grants): known for each in functions}


def _known(names: Names, shared: Shared) -> dict[Ref, str]:
    found = recorded_ids(names.previews, shared.environment, foundation=shared.foundation)
    return {
        **found,
        Ref(Made.VERSION, ENTRY): shared.environment.entry,
        Ref(Made.DOMAIN, PREVIEWS): shared.environment.ids[Made.DOMAIN],
    }


def _host(there: Environment) -> dict[Ref, str]:
    return {Ref(Made.DOMAIN): there.ids[Made.DOMAIN]}


def _shows(aws: Aws, there: Environment) -> bool:
    """Whether its host shows what is recorded."""
    if not there.release:
        return True
    hosts = [there.ids[Made.DOMAIN]]
    return previews.shown(aws, there.ids[Made.STORE], hosts=hosts) == there.release


FUNCTIONS = Ref(Made.ROLE, Role.FUNCTIONS)
