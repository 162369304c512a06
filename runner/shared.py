"""What all previews of a site share: found as it should be, or made so under its own lease.

It is a release without a file, deployed as production's is: so it is found again, mended and fenced
as production is. Its `live` and `r/<release>` in the previews' store are read by no router.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runner.apply import known_of
from runner.aws import keeper, records
from runner.aws.leases import Lease
from runner.aws.live import check_bootstrap, read_live
from runner.aws.preview_live import Shared
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.tables import make_records
from runner.aws.wanted import foundation as wanted_foundation
from runner.aws.written import Environment
from runner.config.load import Config
from runner.decide import Decided
from runner.domains import Named, looked_after
from runner.edge import response_code, router_code
from runner.errors import aws_error
from runner.model import Origin, Release, Routing
from runner.names import PREVIEW_ROLE, Names
from runner.package.entry import modules
from runner.package.manifest import identity
from runner.plan.background import Unattended
from runner.plan.decide import plan
from runner.plan.groundwork import Foundation
from runner.plan.refs import Made
from runner.stage import carry_out
from runner.turn import leased, run_of
from runner.world import PLAIN, World


def shared_release() -> Release:
    """Without a file, so that what a preview lacks is a plain 404."""
    empty = Release(
        id="", files=(), header_sets=(), redirects=(), functions=(), routing=Routing(api_stage="")
    )
    return replace(empty, id=identity(empty, modules()))


def shared_foundation(config: Config, names: Names) -> Foundation:
    """What it should stand on, by these settings and this version."""
    domain = config.settings.preview.domain
    return wanted_foundation(
        names.previews,
        tables=(),
        router=router_code(previews=True),
        response=response_code(previews=True),
        unattended=Unattended(requests=True),
        domains=(domain,) if domain else (),
    )


def shared(
    config: Config,
    world: World,
    *,
    aws: Aws,
    names: Names,
    there: Environment,
    lets_go: bool = False,
) -> Shared:
    """`there` is its record as it was read.

    Only who `lets_go` takes away a domain that the settings do not name: a pull request's name
    none for itself, and the other previews are shown below it.
    """
    tier, foundation = names.previews, shared_foundation(config, names)
    if not (foundation.domains or lets_go):
        foundation = replace(foundation, domains=there.domains)
    known = Shared(environment=there, foundation=foundation)
    if known.is_firm or _is_left_as_it_is(aws, tier, there):
        return known
    with world.watcher.stage("previews"):
        named = _make(config, world, aws=aws, names=tier, foundation=foundation)
    with explained():
        found = records.read(aws, tier, release="")
    return Shared(
        environment=found[0] if found else Environment(),
        foundation=foundation,
        lacks=tuple(str(each) for each in named.lacks),
    )


def let_in(aws: Aws, names: Names, there: Environment, *, say: Callable[[str], None]) -> bool:
    """Whether the keeper of previews' APIs was not as it should be, and is now."""
    tier = names.previews
    if is_previews_role(aws) or not there.release:
        return False
    with leased(aws, tier, run="keeper", say=say, origin=Origin()) as lease, explained():
        role = tier.role_arn(tier.keeper_role)
        mended = keeper.mend(aws, tier, store=there.ids[Made.STORE], role_arn=role)
        lease.done()
    return mended


def is_previews_role(aws: Aws) -> bool:
    """Whether this run has the rights that `bootstrap` gives to workflows for previews."""
    return f"assumed-role/{PREVIEW_ROLE}/" in aws.caller["Arn"]


def _is_left_as_it_is(aws: Aws, names: Names, there: Environment) -> bool:
    """Whether this run's role is previews' own, which makes and changes no role; what production's
    deploy has made serves meanwhile. Raises JamError `JAM-PREVIEW-SHARED` where it made nothing."""
    if not is_previews_role(aws):
        return False
    if not there.release:
        raise aws_error(
            "JAM-PREVIEW-SHARED",
            f"What all previews of {names.site} share is not there yet, and the role "
            f"{PREVIEW_ROLE} may not make it.",
            hint="Run production's deploy once (`jam-deploy deploy --repair`, or a push to its "
            "branch tomorrow), then `jam-deploy bootstrap` once more, and this run again.",
        )
    return True


def _make(config: Config, world: World, *, aws: Aws, names: Names, foundation: Foundation) -> Named:
    first = _decided(config, world, aws=aws, names=names, foundation=foundation)
    check_bootstrap(aws, names, live=first.live, foundation=foundation)
    with explained():
        make_records(aws, names)
    run, say = run_of(world.environment), world.watcher.note
    with leased(aws, names, run=run, say=say, origin=Origin()) as lease:
        whole = _decided(config, world, aws=aws, names=names, foundation=foundation, lease=lease)
        known = known_of(whole.live, whole.plan)
        known = carry_out(whole, world, part=whole.plan.staging, known=known).known
        known = carry_out(whole, world, part=whole.plan.switching, known=known).known
        lease.done()
    return looked_after(whole, world, known=known)


def _decided(
    config: Config,
    world: World,
    *,
    aws: Aws,
    names: Names,
    foundation: Foundation,
    lease: Lease | None = None,
) -> Decided:
    release = shared_release()
    unsure = lease is not None and lease.inherited is not None
    live = read_live(aws, names, release=release.id, foundation=foundation, unsure=unsure)
    return Decided(
        config=config,
        aws=aws,
        names=names,
        release=release,
        live=live,
        foundation=foundation,
        plan=plan(release, live, foundation=foundation, origin=Origin()),
        begun=world.clock(),
        way=PLAIN,
        lease=lease,
    )
