"""The parts of a deploy that reach AWS: staged and tried unseen, carried out, verified."""

from __future__ import annotations

from collections.abc import Mapping

from runner.apply import Applied, Known, apply, known_of
from runner.aws import distributions, keeper, keyvalues
from runner.aws.beforehand import looking
from runner.aws.delivery import KEY_HEADER
from runner.aws.live import check_bootstrap
from runner.aws.means import Content
from runner.aws.perform import performer
from runner.aws.refusals import explained
from runner.aws.secrets import check as check_secrets
from runner.aws.upload import copy, put
from runner.build.environment import for_build
from runner.candidate import try_edge, try_entry
from runner.decide import Decided, changed_files, new_functions
from runner.errors import JamError
from runner.fetch import Answer, Fetch, fetch_from
from runner.model import File, Function, Release
from runner.names import PRODUCTION
from runner.package.entry import package as entry_archive
from runner.package.manifest import manifest
from runner.plan.foundation import ENTRY, MakeDistribution
from runner.plan.refs import Made, Ref
from runner.plan.steps import Plan
from runner.report.text import Check
from runner.together import Later, at_once, directly
from runner.toolchain import find
from runner.verify import ROUTES_SETTLE, Patience, smoke, verify
from runner.world import World, near

# Seconds until every edge has the new value; a launch post of AWS says "a few seconds", a sample of
# AWS's measured 26. A new distribution takes minutes.
# Source: CloudFront developer guide, "Amazon CloudFront KeyValueStore".
SETTLES = 120.0
SETTLES_NEW = 900.0
SEEN_AGAIN = 20  # files
# Source: CloudFront developer guide, "Update a distribution": until its status is Deployed some
# edges serve what was before.
PROPAGATING = (
    "JAM-CF-PROPAGATING: the release is live, but CloudFront has not told all its edges of the "
    "distribution yet: some visitors wait a few minutes more"
)


def make_ready(decided: Decided, world: World) -> Known:
    check_bootstrap(
        decided.aws,
        decided.names,
        live=decided.live,
        foundation=decided.foundation,
        renewed=decided.way.empty_tables,
    )
    check_secrets(decided.aws, functions=new_functions(decided))
    world.watcher.planned(decided.plan)
    with world.watcher.stage("stage"):
        known = known_of(decided.live, decided.plan)
        # A streaming function has no version of its own to be tried at: its URL is the alias's.
        functions = [each for each in new_functions(decided) if not each.stream]
        store = known.get(Ref(Made.STORE)) if functions else None
        with at_once(1) as beside:
            begun = beside.submit(keeper.key, decided.aws, store) if store else None
            staged = carry_out(decided, world, part=decided.plan.staging, known=known).known
        if functions:
            with explained():
                key = begun.result() if begun else keeper.key(decided.aws, staged[Ref(Made.STORE)])
            smoke(
                functions,
                fetch=_to_api(decided, world, known=staged, key=key),
                explain=lambda each: _last_words(decided, each, known=staged),
                patience=_patience(world, ROUTES_SETTLE),
            )
    return staged


def try_candidate(decided: Decided, world: World, *, known: Known) -> None:
    """The candidate at 0 %: what fails here nobody saw, and nothing is switched."""
    from runner.aws.trial import ask_entry

    aws, names, release = decided.aws, decided.names, decided.release
    version = known[Ref(Made.VERSION, ENTRY)]
    with explained():
        token = keyvalues.token(aws, known[Ref(Made.STORE)])
    try_entry(release, lambda event: ask_entry(aws, names, version=version, event=event))
    try_edge(
        release,
        files=changed_files(decided),
        functions=[each for each in new_functions(decided) if not each.stream],
        fetch=_fetch(decided, world, base=f"https://{known[Ref(Made.DOMAIN)]}"),
        token=token,
        patience=_patience(world, _settles(decided)),
    )


def carry_out(
    decided: Decided,
    world: World,
    *,
    part: Plan,
    known: Known,
    ends: bool = False,
    later: Later = directly,
) -> Applied:
    """`ends`: nothing follows this part under the lease; `later` does what no step waits for."""
    with looking(decided.aws, decided.names, part=part, known=known) as beforehand:
        perform = performer(
            decided.aws,
            decided.names,
            release=decided.release,
            foundation=decided.foundation,
            content=Content(
                put=put,
                copy=copy,
                manifest=manifest,
                entry_archive=_entry_archive,
                guard_archive=lambda: _guard_archive(decided, world),
            ),
            lease=decided.lease,
            beforehand=beforehand,
            ends=ends and not part.settle,
            later=later,
        )
        return apply(part, perform, known=known, progress=world.watcher, clock=world.clock)


def _entry_archive(release: Release) -> bytes:
    return entry_archive(release, manifest(release), read=lambda file: file.source.read_bytes())


def _guard_archive(decided: Decided, world: World) -> bytes:
    from runner.package import guard
    from runner.package.functions.requirements import Installer

    # Not beside the site: what lies there may come from a pull request, and this is the guard's.
    work = world.cache / "guard"
    installer = Installer(
        root=work,
        cache=work / "python",
        toolchain=find(world.cache),
        environment=for_build(
            world.environment, site={}, jam_environment=PRODUCTION, url="", commit="", cache=None
        ),
        echo=world.watcher.output,
    )
    return guard.package(installer, work)


def look_at_live(decided: Decided, world: World, *, known: Known) -> tuple[Check, ...]:
    """What visitors get. While CloudFront is still telling its edges, what they lack is no fault:
    it is noted, and no check is told."""
    fetch, glance = fetches(decided, world, known=known)
    try:
        return verify(
            decided.release,
            files=_to_see(decided),
            functions=decided.release.functions if decided.drift else new_functions(decided),
            fetch=fetch,
            glance=glance,
            patience=_patience(world, _settles(decided)),
        )
    except JamError as error:
        with explained():
            if distributions.is_deployed(decided.aws, known[Ref(Made.DISTRIBUTION)]):
                raise
        world.watcher.note(f"{PROPAGATING} ({error.message.splitlines()[0]})")
        return ()


def fetches(decided: Decided, world: World, *, known: Known) -> tuple[Fetch, Fetch]:
    """From the distribution: whole answers, and no more than their heads."""
    base = f"https://{known[Ref(Made.DOMAIN)]}"
    glance = fetch_from(base, connect_to=near(world), whole=False)
    return _fetch(decided, world, base=base), glance


def _to_see(decided: Decided) -> list[File]:
    """What changed; where something was mended, also some that did not."""
    changed = changed_files(decided)
    return [*changed, *decided.release.files[:SEEN_AGAIN]] if decided.drift else changed


def _settles(decided: Decided) -> float:
    """A changed distribution takes as long as a new one to reach every edge."""
    new = any(isinstance(step, MakeDistribution) for step in decided.plan.stage)
    return SETTLES_NEW if new else SETTLES


def _patience(world: World, seconds: float) -> Patience:
    return Patience(seconds=seconds, clock=world.clock, sleep=world.sleep)


def _last_words(decided: Decided, function: Function, *, known: Known) -> str:
    from runner.aws.trial import last_words

    if function.background.requests:  # to call it would be to run it
        group = f"/aws/lambda/{decided.names.acceptor}"
        return f"Its requests are taken in by the acceptor, whose log is {group}."
    version = known[Ref(Made.VERSION, function.name)]
    return last_words(decided.aws, decided.names, function=function, version=version)


def _fetch(decided: Decided, world: World, *, base: str) -> Fetch:
    return fetch_from(base, connect_to=near(world))


def _to_api(decided: Decided, world: World, *, known: Known, key: str) -> Fetch:
    """Past the distribution, with its key: its own visitors are not to see any of this yet."""
    fetch = _fetch(decided, world, base=api_url(decided, known))

    def fetched(path: str, headers: Mapping[str, str], /) -> Answer:
        return fetch(path, {**headers, KEY_HEADER: key})

    return fetched


def api_url(decided: Decided, known: Known) -> str:
    stage = decided.release.routing.api_stage
    if not stage:
        return ""
    api, region = known.get(Ref(Made.API), ""), decided.names.region
    return f"https://{api}.execute-api.{region}.amazonaws.com/{stage}"
