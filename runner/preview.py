"""A pull request's environment: made, or brought up to date with its newest commit.

What all previews of a site share is made first where it is missing; a preview is a plan upon it. Of
production nothing is read but its published files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from runner.apply import Known, known_of
from runner.aws import preview_records, previews, published
from runner.aws.leases import Lease
from runner.aws.preview_live import FUNCTIONS, Seen, Shared, first, live_of, roles_of, see
from runner.aws.previews import USER
from runner.aws.records import Environment
from runner.aws.refusals import explained
from runner.aws.secrets import check as check_secrets
from runner.aws.session import Aws
from runner.config.load import Config
from runner.config.pending import refuse_pending
from runner.decide import Decided, new_functions, packaged
from runner.model import Origin, Release
from runner.names import Names
from runner.package.summary import Summary
from runner.plan.order import is_older
from runner.plan.preview import of_preview, plan
from runner.plan.refs import Made, Ref
from runner.report.text import Outcome
from runner.shared import shared
from runner.showing import looked_at, outcome_of, told
from runner.stage import carry_out
from runner.turn import leased, newer_than, origin_of, overtaken, run_of
from runner.wish import domain_of, host_of, password_of, wanted_of
from runner.world import PLAIN, World, account_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """The pull request; `private` says that only who knows the password may look."""

    number: int
    private: bool = True
    origin: Origin | None = None  # None: as the run's environment says


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What became of it, and what a report needs: how to look at it, what it is made of."""

    outcome: Outcome
    password: str = field(default="", repr=False)
    bypass: str = field(default="", repr=False)
    commit_url: str = ""
    release: Release | None = field(default=None, repr=False)
    published: Summary = field(default_factory=Summary, repr=False)

    def to_json(self, *, access: bool) -> str:
        """The outcome; with `access`, for whoever asks for it, how to look at a private one."""
        if not access or not self.password:
            return self.outcome.to_json()
        told = {"user": USER, "password": self.password, "bypass": self.bypass}
        return json.dumps({**json.loads(self.outcome.to_json()), "access": told}, indent=2)


def preview(config: Config, world: World, pull: Pull, *, aws: Aws | None = None) -> Shown:
    """Builds the site for the pull request and shows it; an older run changes nothing."""
    refuse_pending(config.settings)
    begun = world.clock()
    with world.watcher.stage("read"):
        aws = aws or account_of(world, region=config.region)
        names = Names(config.site, aws.account, config.region, aws.partition).preview(pull.number)
        mine = pull.origin or origin_of(world.environment)
        there, tier = first(aws, names)
    if late := _overtaken(aws, names, there, mine=mine, world=world, begun=begun):
        return late
    known_url = there.ids.get(Made.DOMAIN, "") if there.release else host_of(config, names, tier)
    url = f"https://{known_url}" if known_url else ""
    built = packaged(config, world, aws=aws, environment=names.environment, url=url)
    making = _Making(
        config=config,
        world=world,
        aws=aws,
        names=names,
        pull=pull,
        release=of_preview(built, names.environment),
        shared=shared(config, world, aws=aws, names=names, there=tier),
        before=there,
        origin=mine,
        begun=begun,
    )
    run, say = run_of(world.environment), world.watcher.note
    with leased(aws, names, run=run, say=say, origin=mine) as lease:
        return making.shown(lease)


def _overtaken(
    aws: Aws, names: Names, there: Environment, *, mine: Origin, world: World, begun: float
) -> Shown | None:
    """Where a newer run was first: `removed` if it closed the preview, else `superseded`."""
    newer = newer_than(mine, there, is_ancestor=world.is_ancestor)
    if newer is None:
        return None
    world.watcher.note(overtaken(newer))
    outcome = "removed" if there.closed else "superseded"
    return Shown(outcome=told(aws, names, there, outcome, world=world, begun=begun))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """One preview, made under its lease; `before` is its record as it was before the build."""

    config: Config
    world: World
    aws: Aws
    names: Names
    pull: Pull
    release: Release
    shared: Shared
    before: Environment
    origin: Origin
    begun: float

    def shown(self, lease: Lease) -> Shown:
        world, aws, names = self.world, self.aws, self.names
        with world.watcher.stage("plan"):
            seen = see(aws, names, release=self.release.id, shared=self.shared, before=self.before)
            there = seen.recorded.environment
            late = _overtaken(aws, names, there, mine=self.origin, world=world, begun=self.begun)
            if late:
                return late
            password, bypass = self._doors(seen)
            decided = self._decided(seen, lease, password=password, bypass=bypass)
        known = self._made(decided) if not decided.plan.is_empty else decided.live.known
        if decided.plan.is_empty and is_older(there.origin, self.origin, is_ancestor=None):
            with explained():
                preview_records.note(aws, names, origin=self.origin, sequence=there.sequence)
        lease.done()
        with world.watcher.stage("verify"):
            checks = looked_at(decided, world, known=known, bypass=bypass)
        return Shown(
            outcome=outcome_of(decided, world, known=known, checks=checks),
            password=password,
            bypass=bypass,
            commit_url=self._commit_url(known),
            release=self.release,
            published=seen.published,
        )

    def _made(self, decided: Decided) -> Known:
        """Staged, switched, tidied."""
        world = self.world
        check_secrets(self.aws, functions=new_functions(decided))
        world.watcher.planned(decided.plan)
        with world.watcher.stage("stage"):
            roles = roles_of(self.release.functions, decided.live.known[FUNCTIONS])
            made = {ref for step in decided.plan.stage for ref in step.makes}
            known: Known = {
                **known_of(decided.live, decided.plan),
                **{ref: role for ref, role in roles.items() if ref not in made},
            }
            known = carry_out(decided, world, part=decided.plan.staging, known=known).known
        with world.watcher.stage("switch"):
            return carry_out(decided, world, part=decided.plan.switching, known=known).known

    def _decided(self, seen: Seen, lease: Lease, *, password: str, bypass: str) -> Decided:
        names, release = self.names, self.release
        there = seen.recorded.environment
        doors = previews.doors(names.environment, password=password, bypass=bypass)
        live = live_of(
            names,
            seen,
            release=release.id,
            shared=self.shared,
            agrees=previews.agrees(seen.shown, release=there.release, doors=doors),
            unsure=lease.inherited is not None,
        )
        todo = plan(
            release,
            live,
            wanted=wanted_of(
                self.config,
                names,
                self.shared.environment,
                release=release,
                password=password,
                bypass=bypass,
            ),
            published=published.to_copy(seen.published),
            past=seen.recorded.past,
            origin=self.origin,
        )
        return Decided(
            config=self.config,
            aws=self.aws,
            names=names,
            release=release,
            live=live,
            foundation=self.shared.foundation,
            plan=todo,
            begun=self.begun,
            way=PLAIN,
            lease=lease,
        )

    def _doors(self, seen: Seen) -> tuple[str, str]:
        """Password and bypass token; empty where everybody may look."""
        if not self.pull.private:
            return "", ""
        environment = self.names.environment
        password = password_of(
            self.config, self.world, self.aws, secret=seen.secret, environment=environment
        )
        return password, previews.bypass_of(seen.secret, environment)

    def _commit_url(self, known: Known) -> str:
        domain = domain_of(self.config, self.shared.environment)
        host = known[Ref(Made.DOMAIN)]
        if not domain or not host.endswith(f".{domain}"):
            return ""
        return f"https://{previews.commit_host(host, self.release.id)}"
