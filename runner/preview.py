"""A pull request's environment: made, or brought up to date with its newest commit.

What all previews of a site share is made first where it is missing; a preview is a plan upon it. Of
production nothing is read but its published files.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial

from runner.apply import Known, known_of
from runner.aws import preview_api, preview_records, previews, published
from runner.aws.holders import lost
from runner.aws.leases import Lease
from runner.aws.preview_live import FUNCTIONS, Seen, Shared, first, live_of, roles_of, see
from runner.aws.previews import USER
from runner.aws.refusals import explained
from runner.aws.secrets import check as check_secrets
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.closing import TRIES
from runner.config.load import Config
from runner.decide import Decided, new_functions
from runner.errors import JamError
from runner.model import Origin, Release
from runner.names import Names
from runner.package.summary import Summary
from runner.packaging import packaged
from runner.plan.order import is_older
from runner.plan.preview import Wanted, of_preview, plan
from runner.plan.previewing import LetGo
from runner.plan.refs import Made, Ref
from runner.report.text import Outcome
from runner.shared import is_previews_role, let_in, shared
from runner.showing import looked_at, outcome_of, outrun, told
from runner.stage import carry_out
from runner.together import at_once, later
from runner.turn import leased, run_of
from runner.undoing import undo
from runner.wish import domain_of, host_of, password_of, wanted_of
from runner.world import PLAIN, World, account_with


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """The pull request; `private` says that only who knows the password may look."""

    number: int
    private: bool = True
    origin: Origin | None = None  # None: as the run's environment says
    is_open: Callable[[], bool] | None = None  # whether GitHub says so, for whoever can ask
    waits: Callable[[str], None] | None = None  # hears why, while another run is at the preview


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What became of it, and what a report needs: how to look at it, what it is made of, and the
    account it lies in, as the run reached it."""

    outcome: Outcome
    password: str = field(default="", repr=False)
    bypass: str = field(default="", repr=False)
    commit_url: str = ""
    release: Release | None = field(default=None, repr=False)
    published: Summary = field(default_factory=Summary, repr=False)
    aws: Aws | None = field(default=None, repr=False)

    def to_json(self, *, access: bool) -> str:
        """The outcome; with `access`, for whoever asks for it, how to look at a private one."""
        if not access or not self.password:
            return self.outcome.to_json()
        told = {"user": USER, "password": self.password, "bypass": self.bypass}
        return json.dumps({**json.loads(self.outcome.to_json()), "access": told}, indent=2)


def preview(config: Config, world: World, pull: Pull, *, aws: Aws | None = None) -> Shown:
    """Builds the site for the pull request and shows it; an older run changes nothing."""
    begun = world.clock()
    with world.watcher.stage("read"):
        # The records' table says no account.
        here = Names(config.site, "", config.region).preview(pull.number)
        if aws is None:
            aws, found = account_with(world, lambda aws: first(aws, here), region=config.region)
        else:
            found = first(aws, here)
        names = replace(here, account=aws.account, partition=aws.partition)
        mine, (there, tier) = pull.origin or world.origin, found
    if late := outrun(there, there, mine=mine, is_open=pull.is_open, world=world):
        return Shown(outcome=told(aws, names, there, late, world=world, begun=begun))
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

    def waiting(why: str) -> None:
        say(why)
        if pull.waits:
            pull.waits(why)

    for tried in range(TRIES):
        with at_once(1) as beside:
            looked = None if tried else beside.submit(making.look)
            with leased(aws, names, run=run, say=waiting, origin=mine) as lease:
                if shown := making.shown(lease, looked=looked):
                    return shown
        say("another run has taken over meanwhile: looking at what it left")
    raise lost(None)


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

    def look(self) -> Seen:
        """At what is there."""
        release = self.release.id
        return see(self.aws, self.names, release=release, shared=self.shared, before=self.before)

    def shown(self, lease: Lease, *, looked: Future[Seen] | None) -> Shown | None:
        """None where another run has taken the lease over; what this one made meanwhile is for it
        to take away, or to go on with, once it has the lease again: without `looked`, what was seen
        while the lease was taken."""
        try:
            return self._shown(lease, looked=looked)
        except JamError as error:
            if not lease.is_lost_by(error):
                raise
            return None

    def _seen(self, lease: Lease, looked: Future[Seen] | None) -> Seen:
        """Under the lease, or as good: nobody has had it since its record was read before."""
        alone = self.before.holder is None and lease.token == self.before.turns + 1
        return looked.result() if looked and alone else self.look()

    def _shown(self, lease: Lease, *, looked: Future[Seen] | None) -> Shown:
        world, aws, names, again = self.world, self.aws, self.names, looked is None
        with world.watcher.stage("plan"):
            seen = self._seen(lease, looked)
            there = seen.recorded.environment
            late = outrun(
                there, self.before, mine=self.origin, is_open=self.pull.is_open, world=world
            )
            if late and again:
                self._undo(lease)
            if late:
                return Shown(outcome=told(aws, names, there, late, world=world, begun=self.begun))
            password, bypass = self._doors(seen)
            unsure = again or lease.inherited is not None
            decided = self._decided(seen, lease, doors=(password, bypass), unsure=unsure)
        empty = decided.plan.is_empty
        known = decided.live.known if empty else self._made(decided, ends=not again)
        if again:  # the first try's deployment, which no api_stage was led to
            with explained():
                preview_api.drop_unled(aws, names)
        if empty and is_older(there.origin, self.origin, is_ancestor=None):
            with explained():
                preview_records.note(aws, names, origin=self.origin, sequence=there.sequence)
        lease.done()
        with world.watcher.stage("verify"):
            mend = partial(let_in, aws, names, self.shared.environment, say=world.watcher.note)
            checks = looked_at(decided, world, known=known, bypass=bypass, mend=mend)
        return Shown(
            outcome=outcome_of(decided, world, known=known, checks=checks, lacks=self.shared.lacks),
            password=password,
            bypass=bypass,
            commit_url=self._commit_url(known),
            release=self.release,
            published=seen.published,
            aws=aws,
        )

    def _undo(self, lease: Lease) -> None:
        with explained():
            undo(
                self.aws,
                self.names,
                self.release,
                store=self.shared.store,
                owns=self._wanted("", "").owns,
                lease=lease,
                say=self.world.watcher.note,
            )

    def _made(self, decided: Decided, *, ends: bool) -> Known:
        """Staged, switched, tidied; `ends`: nothing is done under the lease after it."""
        self._check_secrets(decided)
        self.world.watcher.planned(decided.plan)
        roles = roles_of(self.release.functions, decided.live.known[FUNCTIONS])
        made = {ref for step in decided.plan.stage for ref in step.makes}
        known: Known = {
            **known_of(decided.live, decided.plan),
            **{ref: role for ref, role in roles.items() if ref not in made},
        }
        do, stage = partial(carry_out, decided, self.world), self.world.watcher.stage
        with later() as beside:
            with stage("stage"):
                known = do(part=decided.plan.staging, known=known, later=beside).known
            with stage("switch"):
                return do(part=decided.plan.switching, known=known, ends=ends).known

    def _check_secrets(self, decided: Decided) -> None:
        """Previews' own role may read no secret; whether one is there its function finds out."""
        try:
            check_secrets(self.aws, functions=new_functions(decided))
        except JamError as error:
            if error.code != "JAM-DENIED" or not is_previews_role(self.aws):
                raise

    def _decided(
        self, seen: Seen, lease: Lease, *, doors: tuple[str, str], unsure: bool
    ) -> Decided:
        names, release = self.names, self.release
        password, bypass = doors
        there = seen.recorded.environment
        shut = previews.doors(names.environment, password=password, bypass=bypass)
        live = live_of(
            names,
            seen,
            release=release.id,
            shared=self.shared,
            agrees=previews.agrees(seen.shown, release=there.release, doors=shut),
            unsure=unsure,
        )
        todo = plan(
            release,
            live,
            wanted=self._wanted(password, bypass),
            published=published.to_copy(seen.published),
            past=seen.recorded.past,
            origin=self.origin,
        )
        if there.release and not seen.has_host(names.environment):
            left = LetGo(host=there.ids[Made.DOMAIN])  # whatever became of it
            todo = replace(todo, settle=(*todo.settle, left))
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

    def _wanted(self, password: str, bypass: str) -> Wanted:
        return wanted_of(
            self.config,
            self.names,
            self.shared.environment,
            release=self.release,
            password=password,
            bypass=bypass,
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
