"""A pull request's environment: made, or brought up to date with its newest commit.

What all previews of a site share is a release without a file, deployed as production's is; a
preview is a plan upon it. Of production nothing is read but its published files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from runner.apply import Known, known_of
from runner.aws import keyvalues, previews, published, records
from runner.aws.leases import Lease
from runner.aws.live import check_bootstrap, read_live
from runner.aws.preview_live import FUNCTIONS, Shared, read, roles_of
from runner.aws.records import Environment
from runner.aws.refusals import explained
from runner.aws.secrets import check as check_secrets
from runner.aws.session import Aws
from runner.aws.tables import make_records
from runner.aws.wanted import foundation as wanted_foundation
from runner.config.load import Config
from runner.config.pending import refuse_pending
from runner.config.references import EnvReference, SsmReference, parse_value
from runner.decide import Decided, changed_files, new_functions, packaged
from runner.edge import response_code, router_code
from runner.errors import site_error
from runner.fetch import Answer, Fetch, fetch_from
from runner.model import Origin, Release, Routing
from runner.names import Names
from runner.package.entry import modules
from runner.package.manifest import identity
from runner.package.summary import Summary
from runner.plan.background import Unattended
from runner.plan.decide import plan as plan_shared
from runner.plan.preview import Wanted, of_preview, plan
from runner.plan.refs import Made, Ref
from runner.plan.releasing import PutFiles
from runner.report.text import Check, Outcome, Uploaded
from runner.stage import SETTLES, api_url, carry_out
from runner.turn import leased, newer_than, origin_of, overtaken, run_of
from runner.verify import Patience, verify
from runner.world import PLAIN, World, account_of, near


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


def preview(config: Config, world: World, pull: Pull) -> Shown:
    """Builds the site for the pull request and shows it; an older run changes nothing."""
    refuse_pending(config.settings)
    begun = world.clock()
    with world.watcher.stage("read"):
        aws = account_of(world, region=config.region)
        names = Names(config.site, aws.account, config.region, aws.partition).preview(pull.number)
        mine = pull.origin or origin_of(world.environment)
        there = _there(aws, names)
    if newer := newer_than(mine, there, is_ancestor=world.is_ancestor):
        world.watcher.note(overtaken(newer))
        outcome = "removed" if there.closed else "superseded"
        return Shown(outcome=_told(aws, names, there, outcome, world=world, begun=begun))
    known_url = there.ids.get(Made.DOMAIN, "") if there.release else _own_host(config, names)
    url = f"https://{known_url}" if known_url else ""
    built = packaged(config, world, aws=aws, environment=names.environment, url=url)
    release = of_preview(built, names.environment)
    shared = _shared(config, world, aws=aws, names=names)
    run, say = run_of(world.environment), world.watcher.note
    with leased(aws, names, run=run, say=say, origin=mine) as lease:
        making = _Making(
            config=config, world=world, aws=aws, names=names, pull=pull, release=release,
            shared=shared, lease=lease, origin=mine, begun=begun,
        )  # fmt: skip
        return making.shown()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """One preview under its lease."""

    config: Config
    world: World
    aws: Aws
    names: Names
    pull: Pull
    release: Release
    shared: Shared
    lease: Lease
    origin: Origin
    begun: float

    def shown(self) -> Shown:
        world, aws, names = self.world, self.aws, self.names
        with world.watcher.stage("plan"):
            newest, decided, there = self._decided()
        if newer := newer_than(self.origin, there, is_ancestor=world.is_ancestor):
            world.watcher.note(overtaken(newer))
            outcome = "removed" if there.closed else "superseded"
            return Shown(outcome=_told(aws, names, there, outcome, world=world, begun=self.begun))
        known: Known = decided.live.known
        if not decided.plan.is_empty:
            check_secrets(aws, functions=new_functions(decided))
            world.watcher.planned(decided.plan)
            with world.watcher.stage("stage"):
                known = {
                    **known_of(decided.live, decided.plan),
                    **roles_of(self.release.functions, known[FUNCTIONS]),
                }
                known = carry_out(decided, world, part=decided.plan.staging, known=known).known
            with world.watcher.stage("switch"):
                known = carry_out(decided, world, part=decided.plan.switching, known=known).known
        self.lease.done()
        doors = self._doors(known)
        with world.watcher.stage("verify"):
            checks = _looked_at(decided, world, known=known, bypass=doors[1])
        return Shown(
            outcome=_outcome(decided, world, known=known, checks=checks),
            password=doors[0],
            bypass=doors[1],
            commit_url=self._commit_url(known),
            release=self.release,
            published=newest,
        )

    def _decided(self) -> tuple[Summary, Decided, Environment]:
        unsure = self.lease.inherited is not None
        live, there = read(
            self.aws, self.names, release=self.release.id, shared=self.shared, unsure=unsure
        )
        with explained():
            newest = published.read(self.aws, self.names)
        todo = plan(
            self.release,
            live,
            wanted=_wanted(
                self.config,
                self.world,
                self.aws,
                names=self.names,
                pull=self.pull,
                release=self.release,
            ),
            published=published.to_copy(newest),
            origin=self.origin,
        )
        decided = Decided(
            config=self.config,
            aws=self.aws,
            names=self.names,
            release=self.release,
            live=live,
            foundation=self.shared.foundation,
            plan=todo,
            begun=self.begun,
            way=PLAIN,
            lease=self.lease,
        )
        return newest, decided, there

    def _doors(self, known: Known) -> tuple[str, str]:
        """Password and bypass token; empty where everybody may look."""
        if not self.pull.private:
            return "", ""
        with explained():
            secret = keyvalues.secret(self.aws, known[Ref(Made.STORE)], key=previews.SECRET)
        environment = self.names.environment
        given = _password(self.config, self.world, self.aws)
        made = given or previews.password_of(secret, environment)
        return made, previews.bypass_of(secret, environment)

    def _commit_url(self, known: Known) -> str:
        host = known[Ref(Made.DOMAIN)]
        if not self.config.settings.preview.domain:
            return ""
        return f"https://{previews.commit_host(host, self.release.id)}"


def _there(aws: Aws, names: Names) -> Environment:
    with explained():
        found = records.read(aws, names, release="")
    return found[0] if found else Environment()


def _own_host(config: Config, names: Names) -> str:
    domain = _domain(config)
    return f"{names.environment}.{domain}" if domain else ""


def _domain(config: Config) -> str:
    return (config.settings.preview.domain or "").removeprefix("*.")


def _wanted(
    config: Config, world: World, aws: Aws, *, names: Names, pull: Pull, release: Release
) -> Wanted:
    tables = config.tables if config.settings.preview.tables == "own" else ()
    functions = (f"function {names.function(each.name)}" for each in release.functions)
    return Wanted(
        environment=names.environment,
        owns=(*functions, *(f"table {names.table(each.name)}" for each in tables)),
        tables=tables,
        domain=_domain(config),
        private=pull.private,
        password=_password(config, world, aws) if pull.private else "",
    )


def _password(config: Config, world: World, aws: Aws) -> str:
    """The one that the settings name; empty where one is to be made up."""
    told = config.settings.preview.password
    if not told:
        return ""
    match parse_value(told):
        case EnvReference(name):
            found = world.environment.get(name, "")
        case SsmReference(name):
            found = aws.parameter(name)
        case _:
            found = ""
    if not found:
        raise site_error(
            "JAM-PREVIEW-PASSWORD",
            f"[preview] password = {told!r} leads to nothing.",
            hint="Set the variable where jam-deploy runs (in a workflow: under `env`), or leave "
            "the setting out: a password is made up then.",
        )
    return found


def shared_release() -> Release:
    """What all previews share, as a release: no file, so that what one lacks is a plain 404."""
    empty = Release(
        id="", files=(), header_sets=(), redirects=(), functions=(), routing=Routing(api_stage="")
    )
    return replace(empty, id=identity(empty, modules()))


def _shared(config: Config, world: World, *, aws: Aws, names: Names) -> Shared:
    """Found as it should be, in one read, or made so under its own lease."""
    tier = names.previews
    foundation = wanted_foundation(
        tier,
        tables=(),
        router=router_code(previews=True),
        response=response_code(previews=True),
        unattended=Unattended(requests=True),
    )
    shared = Shared(environment=_there(aws, tier), foundation=foundation)
    if shared.is_firm:
        return shared
    release = shared_release()

    def decided(lease: Lease | None) -> Decided:
        unsure = lease is not None and lease.inherited is not None
        live = read_live(aws, tier, release=release.id, foundation=foundation, unsure=unsure)
        todo = plan_shared(release, live, foundation=foundation, origin=Origin())
        return Decided(
            config=config, aws=aws, names=tier, release=release, live=live,
            foundation=foundation, plan=todo, begun=world.clock(), way=PLAIN, lease=lease,
        )  # fmt: skip

    with world.watcher.stage("previews"):
        first = decided(None)
        check_bootstrap(aws, tier, live=first.live, foundation=foundation)
        with explained():
            make_records(aws, tier)
        with leased(
            aws, tier, run=run_of(world.environment), say=world.watcher.note, origin=Origin()
        ) as lease:
            whole = decided(lease)
            known = known_of(whole.live, whole.plan)
            known = carry_out(whole, world, part=whole.plan.staging, known=known).known
            carry_out(whole, world, part=whole.plan.switching, known=known)
            lease.done()
    return Shared(environment=_there(aws, tier), foundation=foundation)


def _looked_at(decided: Decided, world: World, *, known: Known, bypass: str) -> tuple[Check, ...]:
    """What a visitor of the preview finds changed."""
    base = f"https://{known[Ref(Made.DOMAIN)]}"
    return verify(
        decided.release,
        files=changed_files(decided),
        functions=new_functions(decided),
        fetch=with_bypass(fetch_from(base, connect_to=near(world)), bypass),
        patience=Patience(seconds=SETTLES, clock=world.clock, sleep=world.sleep),
    )


def with_bypass(fetch: Fetch, bypass: str) -> Fetch:
    """The same with the token that opens a private preview."""

    def fetched(path: str, headers: Mapping[str, str], /) -> Answer:
        return fetch(path, {**headers, **({"x-jam-bypass": bypass} if bypass else {})})

    return fetched


def _outcome(decided: Decided, world: World, *, known: Known, checks: tuple[Check, ...]) -> Outcome:
    puts = [step for step in decided.plan.stage if isinstance(step, PutFiles)]
    host, names = known[Ref(Made.DOMAIN)], decided.names
    return Outcome(
        site=names.site,
        environment=names.environment,
        release=decided.release.id,
        previous=decided.live.release,
        url=f"https://{host}",
        local_url=_local(host, world),
        api_url=api_url(decided, known),
        prefix=f"{names.objects}/releases/{decided.release.id}/",
        outcome="unchanged" if decided.plan.is_empty else "live",
        seconds=world.clock() - decided.begun,
        calls=decided.aws.calls,
        uploaded=Uploaded(
            files=sum(len(step.files) for step in puts), bytes=sum(step.bytes for step in puts)
        ),
        checks=checks,
    )


def _told(
    aws: Aws, names: Names, there: Environment, outcome: str, *, world: World, begun: float
) -> Outcome:
    """For a run that changed nothing."""
    host = there.ids.get(Made.DOMAIN, "")
    return Outcome(
        site=names.site,
        environment=names.environment,
        release=there.release,
        previous=there.previous,
        url=f"https://{host}" if host else "",
        local_url=_local(host, world),
        api_url="",
        prefix=f"{names.objects}/releases/{there.release}/" if there.release else "",
        outcome=outcome,
        seconds=world.clock() - begun,
        calls=aws.calls,
    )


def _local(host: str, world: World) -> str:
    loopback = urlsplit(near(world))
    return (
        f"http://{host.partition('.')[0]}.localhost:{loopback.port}/"
        if loopback.netloc and host
        else ""
    )
