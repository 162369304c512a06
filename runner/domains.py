"""What became of an environment's names: seen as visitors see them, told, recorded.

Nothing here fails a deploy: until a name works the site is where CloudFront put it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runner.apply import Known
from runner.aws import beside, domain_lacks
from runner.aws.domain_lacks import Lack, Standing
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.decide import Decided
from runner.errors import JamError
from runner.fetch import Answer, Fetch, fetch_from
from runner.names import PRODUCTION, Names
from runner.plan.refs import Made, Ref
from runner.plan.remarks import Remark, Topic, fine, wrong
from runner.world import World, near

# Until Route 53's servers answer a new record, and CloudFront's edges know a new name.
# Source: Route 53 API reference, ChangeResourceRecordSets ("within 60 seconds"); CloudFront
# developer guide, "Update a distribution".
APPEARS = 300.0  # seconds
LOOK_EVERY = 5.0
# The name below a wildcard that no pull request has; the router answers for it all the same.
NOBODYS = "jam-look"
NO_PREVIEW = b"No preview is shown here."  # runner/edge/preview.js

Look = Callable[[str], bool]
"""Whether visitors of a host get this environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Where visitors find it, empty for the distribution's own host; what its names lack."""

    host: str = ""
    lacks: tuple[Lack, ...] = ()


def looked_after(decided: Decided, world: World, *, known: Known) -> Named:
    """Looks at names that were not seen to work yet, and records what was seen."""
    hosts, live = decided.foundation.domains, decided.live
    if hosts == live.domains and (live.domains_work or not hosts):
        return Named(host=hosts[0] if hosts else "")
    if not hosts:
        _record(decided, hosts, works=False)
        return Named()
    releases = frozenset((decided.release.id, live.release))
    with world.watcher.stage("domain"), explained():
        stand = domain_lacks.standing(
            decided.aws, decided.names, hosts=hosts, distribution=known[Ref(Made.DISTRIBUTION)]
        )
        seen = looker(decided.names, near=near(world), releases=releases)
        lacks = lacking(stand, hosts, _patient(seen, decided.aws))
    if lacks or hosts != live.domains or not live.domains_work:
        _record(decided, hosts, works=not lacks)
    for each in lacks:
        world.watcher.note(str(each))
    return Named(host="" if lacks else hosts[0], lacks=lacks)


def lacking(stand: Standing, hosts: tuple[str, ...], look: Look) -> tuple[Lack, ...]:
    """What is missing, DNS that is not ours included: that is seen by a visitor's look alone."""
    if stand.lacks:
        leading = {each.record for each in stand.lacks}
        more = (each for each in stand.elsewhere if each not in leading)
        return (*stand.lacks, *(domain_lacks.to_lead(each) for each in more if not look(each.name)))
    led = {each.name: each for each in stand.elsewhere}
    dark = [each for each in hosts if not look(each)]
    return tuple(domain_lacks.to_lead(led[each]) if each in led else _unseen(each) for each in dark)


def looker(names: Names, *, near: str, releases: frozenset[str]) -> Look:
    """A visitor's look at a host."""

    def look(host: str) -> bool:
        asked = host.replace("*", NOBODYS, 1)
        fetch = fetch_from(f"https://{asked}", connect_to=near)
        try:
            return _is_ours(names, fetch, releases)
        except JamError:
            return False

    return look


def _is_ours(names: Names, fetch: Fetch, releases: frozenset[str]) -> bool:
    if names.environment != PRODUCTION:
        answer = fetch("/", {})
        return answer.status == 404 and answer.body.startswith(NO_PREVIEW)
    answer = fetch("/.jam/version.json", {})
    if answer.status == 301:  # one of the others, which lead to the first
        return answer.headers.get("location", "").endswith("/.jam/version.json")
    return answer.status == 200 and _release(answer) in releases


def _release(answer: Answer) -> str:
    try:
        return str(json.loads(answer.body).get("release", ""))
    except (ValueError, AttributeError):
        return ""


def _patient(look: Look, aws: Aws) -> Look:
    """For records that were just made; all hosts share the time."""
    deadline = aws.clock() + APPEARS

    def patient(host: str) -> bool:
        while not look(host):
            if aws.clock() + LOOK_EVERY > deadline:
                return False
            aws.sleep(LOOK_EVERY)
        return True

    return patient


def _record(decided: Decided, hosts: tuple[str, ...], *, works: bool) -> None:
    with explained():
        beside.note_domains(decided.aws, decided.names, hosts=hosts, works=works)


def _unseen(host: str) -> Lack:
    return Lack(
        message=f"{host} does not show the site yet, though its record is there",
        hint="Name servers and edges may take some minutes; `jam-deploy doctor` looks again.",
    )


def remarks(
    aws: Aws, names: Names, *, hosts: tuple[str, ...], there: Environment | None, near: str
) -> Iterator[Remark]:
    """How the names stand, for `doctor`; one look each, without patience."""
    if there is None or not there.release:
        yield fine(Topic.DOMAIN, f"{hosts[0]} waits for the first deploy")
        return
    with explained():
        stand = domain_lacks.standing(
            aws, names, hosts=hosts, distribution=there.ids[Made.DISTRIBUTION]
        )
    releases = frozenset((there.release, there.rollout))
    lacks = lacking(stand, hosts, looker(names, near=near, releases=releases))
    for each in lacks:
        yield wrong(Topic.DOMAIN, each.told, hint=each.hint)
    if not lacks:
        yield fine(Topic.DOMAIN, f"visitors get the site under {', '.join(hosts)}")
