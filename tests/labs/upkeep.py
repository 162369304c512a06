"""What is tidied or broken: gc that dies, releases of which a part is gone, and what a deploy drops
of old ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runner.audit import audit
from runner.aws import records
from runner.plan.decide import KEPT_STAGES
from runner.plan.inventory import What
from runner.plan.releasing import Stages
from runner.plan.retention import DAY, PIN, Retention
from tests.labs import checks
from tests.labs.checks import Trouble
from tests.labs.crash import Point, Wire
from tests.labs.experiments import Bench, Then, crashed_at, recovered
from tests.labs.site import LATER, Commit, Site

FEW = Retention(releases=3, days=0)


def collecting(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """gc dies. Who is pinned to a release loses nothing of it, and what is kept can go live."""
    site, oldest = bench.settled()
    kept = [bench.commit() for _ in range(3)]
    yield from _live_in_turn(site, kept)
    site.collect(bench.wire(point), FEW)
    yield from checks.seen(site, (kept[-1],))
    yield from _still_whole(site, oldest)
    if then is Then.BACK:
        yield from _goes_back(site, kept[0])
    site.sleep(PIN + DAY)
    if then is not Then.DESTROY:
        # One marks what the dead one had not, a pin's life later the other removes.
        for _ in range(2):
            yield from _collects(site)
            site.sleep(PIN + DAY)
        yield from _forgotten(site, oldest)
    yield from recovered(bench, site, before=kept[1], crashed=kept[-1], then=then)


def sweeping(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """gc dies over taking away what an earlier one had marked; the next one finishes."""
    site, oldest = bench.settled()
    kept = [bench.commit() for _ in range(3)]
    yield from _live_in_turn(site, kept)
    yield from _collects(site)
    site.sleep(PIN + DAY)
    site.collect(bench.wire(point), FEW)
    yield from checks.seen(site, (kept[-1],))
    site.sleep(LATER)
    if then is not Then.DESTROY:
        for _ in range(2):
            yield from _collects(site)
            site.sleep(PIN + DAY)
        yield from _forgotten(site, oldest)
    yield from recovered(bench, site, before=kept[1], crashed=kept[-1], then=then)


def full(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """There are as many api_stages as are kept: a deploy dies over dropping the oldest, whose
    release is gone back to."""
    site, oldest, newest = _full(bench)
    commit = bench.commit()
    yield from crashed_at(bench, site, newest, commit, point=point, then=then, back_to=oldest)


def full_parked(bench: Bench, point: Point, _then: Then) -> Iterator[Trouble]:
    """Whoever drops it is suspended meanwhile, and its release is gone back to."""
    site, oldest, _ = _full(bench)
    commit = bench.commit()

    def meanwhile() -> None:
        site.sleep(LATER)
        site.back(oldest, Wire(), aws=site.other_account(Wire()))

    outcome = site.deploy(commit, bench.wire(point, meanwhile=meanwhile))
    parked_late = outcome == "live"  # before it had the lease, or after all was done
    yield from checks.seen(site, (commit, oldest) if parked_late else (oldest,))
    yield from recovered(bench, site, before=oldest, crashed=commit, then=Then.NEWER)


def _full(bench: Bench) -> tuple[Site, Commit, Commit]:
    """A site with as many api_stages as are kept, all whole; the commit of the oldest, and what is
    live."""
    site, newest = bench.settled()
    while len(stages := _stages(site)) < KEPT_STAGES:
        newest = bench.commit()
        assert site.deploy(newest, Wire()) == "live", site.said
    made = (replace(newest, page=str(it), code=str(it), number=it) for it in range(newest.number))
    oldest = next(each for each in made if site.release_of(each).id in stages[-1][1])
    return site, oldest, newest


def _stages(site: Site) -> Stages:
    found = records.read(site.aws, site.names, release="")
    assert found is not None
    return found[0].stages


def incomplete(bench: Bench, point: Point, then: Then) -> Iterator[Trouble]:
    """A part of the older release was deleted by hand: going back there is refused."""
    site, older = bench.settled()
    newer = bench.commit()
    if (outcome := site.deploy(newer, Wire())) != "live":
        yield Trouble("loss", outcome)
    _delete_a_part(site, older, which=point.call)
    outcome = site.back(older, Wire())
    if outcome != "JAM-ROLLBACK-GONE":
        yield Trouble("loss", f"rollback to half a release: {outcome}")
    yield from checks.seen(site, (newer,))
    bench.close()  # what was deleted stays lost


def _live_in_turn(site: Site, commits: list[Commit]) -> Iterator[Trouble]:
    for commit in commits:
        if (outcome := site.deploy(commit, Wire())) != "live":
            yield Trouble("loss", outcome)


def _still_whole(site: Site, commit: Commit) -> Iterator[Trouble]:
    """The page is open since before it was replaced; what it loads now is of the same release."""
    found = site.visit(pinned=commit)
    if found.asset != commit.page:
        yield Trouble("mixed", f"who is pinned to {commit.page} gets {found}")
    if not _objects(site, commit):  # an edge may have had the sheet
        yield Trouble("loss", f"who is pinned to {commit.page} finds nothing of it")


def _goes_back(site: Site, commit: Commit) -> Iterator[Trouble]:
    site.sleep(600)
    outcome = site.back(commit, Wire())
    if outcome != "live":
        yield Trouble("loss", f"rollback to a kept release: {outcome}")
    yield from checks.seen(site, (commit,))


def _collects(site: Site) -> Iterator[Trouble]:
    outcome = site.collect(Wire(), FEW)
    if outcome != "collected":
        yield Trouble("loss", f"gc: {outcome}")


def _forgotten(site: Site, commit: Commit) -> Iterator[Trouble]:
    for each in audit(site.aws, site.names).found:
        if each.thing.kind is What.SPARE_DEPLOYMENT:
            yield Trouble("orphan", f"{each.thing.name}, of which no api_stage was made")
    for key in _objects(site, commit):
        yield Trouble("orphan", f"{key} of a release that is past its time")
    site.remembered.pop(site.release_of(commit).id, None)


def _objects(site: Site, commit: Commit) -> list[str]:
    prefix = f"production/releases/{site.release_of(commit).id}/"
    found = site.aws.s3.list_objects_v2(Bucket=site.names.bucket, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


def _delete_a_part(site: Site, commit: Commit, *, which: int) -> None:
    release = site.release_of(commit)
    if which % 2:
        key = f"production/releases/{release.id}/app.css"
        site.aws.s3.delete_object(Bucket=site.names.bucket, Key=key)
        return
    code = release.functions[0].code_sha256
    name = site.names.function(release.functions[0].name)
    for each in site.aws.functions.list_versions_by_function(FunctionName=name)["Versions"]:
        if each["CodeSha256"] == code and each["Version"] != "$LATEST":
            site.aws.functions.delete_function(FunctionName=name, Qualifier=each["Version"])
