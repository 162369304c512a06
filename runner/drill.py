"""`drill`: a release that is broken on purpose, in a real account, under real visitors of its own.

Makes a small site, offers it a candidate whose function throws, sends visitors over the network,
sees the guard take it back with no run at hand, and takes the site down again. All by commands.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runner.errors import JamError, Turn, site_error
from runner.rehearsal.candidates import NAMED, UNBROKEN
from runner.rehearsal.cost import Used, dollars
from runner.rehearsal.opening import unsignalled
from runner.rehearsal.rollouts import Rolled, told, trouble, until_ended, visitors
from runner.rehearsal.sources import sources_of
from runner.rehearsal.stage import Stage, Story
from runner.rehearsal.stage import failed as ended
from runner.rehearsal.tally import Tally
from runner.rehearsal.theatre import AGREE, WITHIN, Theatre, until
from runner.report.watch import Watcher

PREFIX = "jam-drill"
BROKEN = NAMED["function-throws"]
AFTERWARDS = 20  # visitors who have to find everything well, before and after
_GONE_WITHIN = 300.0  # seconds of the cloud's until lists no longer show what was deleted
_LONGEST = 24  # characters of a site's name
_SITE = Path(__file__).parent / "rehearsal" / "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Where it is played and with what. `clock` and `sleep` are in seconds of ours, of which the
    cloud has `speed`; `now` gives its seconds of the epoch. `near` is an embedded cloud's address.
    """

    site: str
    region: str
    environment: Mapping[str, str] = field(repr=False)
    watcher: Watcher
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    now: Callable[[], float]
    near: str = ""
    speed: float = 1.0


def site_of(wanted: str, *, who: str) -> str:
    """The drill's site: its own, and the same the next time, which puts right what one left.

    Raises JamError `JAM-DRILL-SITE` for a name that may be a site's in earnest.
    """
    if wanted:
        if not wanted.startswith(PREFIX):
            raise site_error(
                "JAM-DRILL-SITE",
                f"{wanted!r} is no site for a drill, which takes down all that it finds of it.",
                hint=f"Leave --site out, or give one that begins with {PREFIX}.",
            )
        return wanted
    plain = re.sub(r"[^a-z0-9]+", "-", who.lower()).strip("-")
    return f"{PREFIX}-{plain}"[:_LONGEST].strip("-")


def perform(wanted: Wanted) -> dict[str, Any]:
    """Plays it; gives the receipt. Whatever goes wrong, the site is taken down.

    Raises JamError `JAM-CANCELLED` where it is interrupted: then what there is stays.
    """
    start = wanted.now()
    story = Story(clock=wanted.clock, watcher=wanted.watcher)
    with tempfile.TemporaryDirectory(prefix="jam-drill-") as folder:
        play = _Play(_stage(wanted, Path(folder)), story, wanted)
        try:
            faults = [each for each in (play.promoted(), play.removed()) if each]
        except KeyboardInterrupt:
            raise _interrupted(wanted) from None
    hours = (wanted.now() - start) / 3600
    return _receipt(story, play, hours=hours, fault=faults[0] if faults else None)


def _stage(wanted: Wanted, folder: Path) -> Stage:
    site = folder / "site"
    shutil.copytree(_SITE, site, ignore=shutil.ignore_patterns("__pycache__"))
    return Stage(
        site=site,
        artifacts=folder,
        endpoint=wanted.near,
        environment=wanted.environment,
        clock=wanted.clock,
        sleep=wanted.sleep,
        epoch=wanted.now,
        speed=wanted.speed,
    )


def failed(message: str) -> JamError:
    """What ends a drill."""
    hint = "The receipt tells each step; play it again with -v, and report what it prints."
    return ended(message, code="JAM-DRILL", hint=hint)


class _Play:
    """One drill; what is counted is for its receipt."""

    def __init__(self, stage: Stage, story: Story, wanted: Wanted) -> None:
        self._stage = stage
        self._story = story
        self._site = wanted.site
        self._where = ("--site", wanted.site, "--region", wanted.region)
        self.seen: list[Tally] = []
        self.deploys = 0

    def promoted(self) -> JamError | None:
        """From nothing to a candidate that was taken back; what went wrong, if anything did."""
        try:
            with self._story.step("take down what a drill before left") as said:
                said.append(self._destroyed())
            with self._story.step("a healthy release") as said:
                theatre = self._opened(said)
            with self._story.step(f"{BROKEN.name}, nobody at hand") as said:
                before = self._taken_back(theatre, said)
            with self._story.step("what a visitor sees") as said:
                said.append(self._well(theatre, release=before))
        except JamError as error:
            return error
        return None

    def removed(self) -> JamError | None:
        """All of it is gone, and seen to be."""
        try:
            with self._story.step("destroy") as said:
                said.append(self._destroyed())
            with self._story.step("audit") as said:
                said.append(self._audited())
        except JamError as error:
            return error
        return None

    def _jam(self, *arguments: str, fine: tuple[int, ...] = (0,)) -> dict[str, Any]:
        return self._stage.jam(*arguments, *self._where, fine=fine)

    def _destroyed(self) -> str:
        gone = self._jam("destroy", "--all", "--yes")
        return f"{len(gone['removed'])} resources removed, {len(gone['left'])} left"

    def _audited(self) -> str:
        """Others' resources are not the drill's to answer for, and status 3 may be theirs."""
        left: list[str] = []

        def is_gone() -> bool:
            found = self._jam("audit", fine=(0, int(Turn.AWS)))["resources"]
            names = (f"{each['kind']} {each['name']}" for each in found if self._is_own(each))
            left[:] = names
            return not left

        try:
            within = _GONE_WITHIN / self._stage.speed
            until(self._stage, is_gone, within=within, what="an empty audit")
        except JamError as error:
            raise failed(f"of {self._site} there is still {', '.join(left)}") from error
        return "0 resources"

    def _is_own(self, each: Mapping[str, Any]) -> bool:
        return each["site"] == self._site or f"jam-{self._site}" in each["name"]

    def _opened(self, said: list[str]) -> Theatre:
        sources = sources_of(self._stage.site)
        sources.write(UNBROKEN, build="first", pause=0)
        self.deploys += 1
        answer = self._jam("deploy")
        host = urlsplit(answer["url"]).netloc
        theatre = Theatre(stage=self._stage, sources=sources, host=host, name=self._site)
        said.append(str(answer["local_url"] or answer["url"]))
        said.append(self._well(theatre, release=str(answer["release"])))
        return theatre

    def _taken_back(self, theatre: Theatre, said: list[str]) -> str:
        """The release that stays live."""
        before = str(theatre.card()["release"])
        theatre.sources.write(BROKEN, build=BROKEN.name, pause=0)
        self.deploys += 1
        release = str(self._jam("deploy", "--no-wait")["release"])
        since, tally = self._stage.now(), self._counted()
        with visitors(theatre, tally, build=BROKEN.name, since=since):
            outcome = until_ended(theatre, release, since=since)
        rolled = Rolled(
            candidate=BROKEN.name,
            signal=BROKEN.signal,
            expected=BROKEN.expected,
            outcome=outcome,
            runner="none",
            cloud_minutes=round((self._stage.now() - since) / 60, 1),
            exposed=tally.sessions[release],
            mixed=tally.mixed,
        )
        self._story.rollouts.append(asdict(rolled))
        said.append(told(rolled, tally))
        self._jam("settle", fine=(0, int(Turn.TAKEN_BACK)))  # CodeDeploy may still be at it
        rollout = self._jam("status")["environments"][0]["rollout"]
        said.append(str(rollout["why"]))
        if wrong := trouble(rolled, tally) or unsignalled(BROKEN, rollout):
            raise failed(wrong)
        return before

    def _well(self, theatre: Theatre, *, release: str) -> str:
        """New visitors get this release, whole, and nothing of it fails."""
        stage, tally = self._stage, self._counted()
        stage.sleep(AGREE / stage.speed)
        with visitors(theatre, tally, build=release, since=stage.now()) as player:
            player.end_at(2 * AFTERWARDS)
            until(
                stage,
                lambda: tally.ended + tally.unreachable >= AFTERWARDS,
                within=WITHIN,
                what="visitors",
            )
        others = set(tally.sessions) - {release}
        if others or tally.failures or tally.mixed or tally.unreachable or not tally.calls:
            raise failed(
                f"visitors of {release[:8]} got {', '.join(sorted(tally.sessions)) or 'nothing'}; "
                f"{sum(tally.failures.values())} failed, {tally.mixed} saw a mixed page, "
                f"{tally.unreachable} got no answer, {len(tally.calls)} functions were called"
            )
        return f"{tally.begun} visitors, {tally.views} pages, all of {release[:8]}, none failed"

    def _counted(self) -> Tally:
        self.seen.append(Tally())
        return self.seen[-1]


def _receipt(story: Story, play: _Play, *, hours: float, fault: JamError | None) -> dict[str, Any]:
    """A rehearsal's, and what it cost."""
    used = Used(
        requests=sum(each.requests for each in play.seen),
        calls=sum(len(each.calls) for each in play.seen),
        deploys=play.deploys,
        hours=hours,
    )
    return {
        "outcome": "failed" if fault else "passed",
        "seconds": round(sum(each.seconds for each in story.steps), 1),
        "steps": [asdict(step) for step in story.steps],
        "rollouts": story.rollouts,
        "previews": [],
        "cost": {"dollars": dollars(used), **asdict(used), "hours": round(hours, 2)},
        **({"error": _error(fault)} if fault else {}),
    }


def _error(fault: JamError) -> dict[str, Any]:
    told = {"code": fault.code, "message": str(fault), "hint": fault.hint}
    return {**told, "status": int(fault.turn)}


def _interrupted(wanted: Wanted) -> JamError:
    where = f"--site {wanted.site} --region {wanted.region}"
    return JamError(
        "JAM-CANCELLED",
        f"the drill was interrupted: the site {wanted.site} stands in {wanted.region}, perhaps "
        "with a broken release under way, which the guard takes back",
        hint=f"Take it down with `jam-deploy destroy --all {where}`; or run `jam-deploy drill` "
        "again, which begins with that.",
        turn=Turn.CANCELLED,
    )
