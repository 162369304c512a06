"""All commands in any order, with crashes and hands that meddle: what must hold after each.

A visitor gets one release whole; record, store and alias agree; nothing is unexplained; what is not
ours is still there.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from runner.audit import audit
from runner.aws import holds
from runner.doctor import Practice, doctor
from runner.local.cloud import Cloud
from runner.plan.live import Hold
from runner.plan.retention import DAY
from runner.world import Way
from tests.labs import hands
from tests.labs.crash import Point, Wire
from tests.labs.rollouts import OPENS, settled
from tests.labs.site import LATER, Commit, Seen, Site

NOTHING = Seen("", "", "")
POINTS = st.builds(Point, st.integers(1, 60), st.booleans())
COMMANDS = ("rollback", "gc", "destroy")  # that may die as deploys do
BACK = ("live", "unchanged")


class Commands(RuleBasedStateMachine):
    """`may` is what a visitor may get, None for nothing; `sure`: the last command ended well.

    `drifted`: somebody changed something by hand, and no deploy has looked at everything since.
    `harmed` are releases of which a part may be gone: nobody has to be able to go back there.
    """

    cloud: Cloud

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.site = Site(self.cloud, Path(self.folder.name), strategy="canary")
        self.commits: list[Commit] = []
        self.harmed: list[Commit] = []
        self.may: list[Commit | None] = [None]
        self.number = 0
        self.open = self.held = self.drifted = self.marked = False
        self.sure = True
        hands.plant(self.site)

    def teardown(self) -> None:
        self.site.close()
        self.folder.cleanup()

    @rule(code=st.booleans(), rollout=st.booleans())
    def deploy(self, code: bool, rollout: bool) -> None:
        commit = self._commit(code)
        outcome = self.site.deploy(commit, Wire(), way=OPENS if rollout else Way(now=True))
        if self.held:
            assert outcome == "held", outcome
            return
        assert outcome == "live" or (rollout and outcome == "open"), outcome
        self.drifted = self.drifted and not self.marked
        self.marked = False
        if outcome == "open":
            self._over([self.may[0], commit], still_open=True)
        else:
            self._over([commit])

    @rule(code=st.booleans(), point=POINTS)
    def deploy_and_die(self, code: bool, point: Point) -> None:
        commit = self._commit(code)
        outcome = self.site.deploy(commit, Wire(point), way=Way(now=True))
        assert outcome in ("crashed", "held" if self.held else "live"), outcome
        self._dead([*self.may, commit])

    @precondition(lambda self: self.commits)
    @rule(what=st.sampled_from(COMMANDS), point=POINTS)
    def die(self, what: str, point: Point) -> None:
        wire, may = Wire(point), list(self.may)
        if what == "rollback":
            to = self.commits[0]
            self.site.back(to, wire)
            may.append(to)
        elif what == "gc":
            self.site.collect(wire)
        else:
            self.site.gone(wire)
            may.append(None)
            self.commits, self.held = [], False
        self._dead(may)

    @precondition(lambda self: self.commits)
    @rule(which=st.integers(0, 3), hold=st.booleans())
    def rollback(self, which: int, hold: bool) -> None:
        to = self.commits[-1 - which % len(self.commits)]
        outcome = self.site.back(to, Wire(), hold=hold)
        if to in self.harmed and outcome not in BACK:
            assert outcome.startswith("JAM-ROLLBACK"), outcome
            return
        assert outcome in BACK, outcome
        self.held = self.held or hold
        self._over([to])

    @precondition(lambda self: self.commits)
    @rule()
    def hold(self) -> None:
        holds.put(self.site.aws, self.site.names, Hold(by="lab", why="", at=1))
        self.held = True

    @precondition(lambda self: self.held)
    @rule()
    def unhold(self) -> None:
        holds.drop(self.site.aws, self.site.names)
        self.held = False

    @precondition(lambda self: self.open)
    @rule()
    def promote(self) -> None:
        done = settled(self.site, promote=True)
        assert done.outcome in ("live", "rolled_back", "unchanged"), done.outcome
        was_sure = self.sure
        self._over([each for each in self.may if each and self._id(each) == done.release])
        assert self.may, done
        self.sure = was_sure

    @precondition(lambda self: not self.open)
    @rule(days=st.sampled_from((0, 1, 8)))
    def collect(self, days: int) -> None:
        self.site.sleep(days * DAY)
        assert not (days and self.sure and hands.is_watched(self.site))
        assert self.site.collect(Wire()) == "collected"

    @precondition(lambda self: self.commits)
    @rule()
    def destroy(self) -> None:
        assert self.site.gone(Wire()) == "removed"
        assert not audit(self.site.aws, self.site.names).of_site
        self._over([None])
        self.held = self.drifted = self.marked = False
        self.commits, self.harmed = [], []

    @precondition(lambda self: self.commits)
    @rule()
    def doctor(self) -> None:
        found = doctor(self.site.aws, self.site.names, Practice())
        if self.sure and not self.drifted and not self.open:
            assert not found.drift, found.drift.findings
        self.marked = self.marked or found.is_marked

    @precondition(lambda self: self.sure and any(self.may) and not self.open)
    @rule(what=st.sampled_from(hands.HANDS))
    def meddle(self, what: str) -> None:
        """By hand; visitors may suffer until somebody looks at everything."""
        self.drifted, self.marked = True, False
        self.harmed += [each for each in self.may if each]
        hands.by_hand(self.site, what)

    @invariant()
    def visitors_get_one_release_whole(self) -> None:
        if not self.drifted:
            shown = [
                Seen(each.page, each.page, each.code) if each else NOTHING for each in self.may
            ]
            assert (seen := self.site.visit()) in shown, (seen, shown)

    @invariant()
    def record_store_and_alias_agree(self) -> None:
        if any(self.may) and self.sure and not self.open and not self.drifted:
            assert len(set(hands.live(self.site))) == 1, hands.live(self.site)

    @invariant()
    def everything_is_explained(self) -> None:
        if self.sure and not self.drifted:
            unexplained = audit(self.site.aws, self.site.names).unexplained
            assert not unexplained, unexplained

    @invariant()
    def what_is_not_ours_is_there(self) -> None:
        assert hands.foreign(self.site) == [hands.FOREIGN] * 5

    def _commit(self, code: bool) -> Commit:
        self.number += 1
        before = self.may[0].code if self.may[0] else "0"
        number = str(self.number)
        return Commit(page=number, code=number if code else before, number=self.number)

    def _id(self, commit: Commit) -> str:
        return self.site.release_of(commit).id

    def _over(self, may: list[Commit | None], *, still_open: bool = False) -> None:
        """A command went through: from now on visitors get one of `may`."""
        self.may, self.open, self.sure = may, still_open, True
        if not still_open:
            self.commits += [each for each in may if each and each not in self.commits]

    def _dead(self, may: list[Commit | None]) -> None:
        self.may, self.sure = may, False
        self.site.sleep(LATER)


def warmed(cloud: Cloud, folder: Path) -> None:
    """Everything is used once, so that what makes syntax trees has made them.

    Python 3.11 counts their depth for all threads together, and may take it amiss while Hypothesis
    moves the recursion limit (python/cpython#106905).
    """
    site = Site(cloud, folder, strategy="canary")
    for number, way in ((1, Way(now=True)), (2, OPENS)):
        site.deploy(Commit(page=str(number), code=str(number), number=number), Wire(), way=way)
    hands.plant(site)
    hands.by_hand(site, "alias")
    hands.foreign(site)
    settled(site, promote=True)
    site.collect(Wire())
    doctor(site.aws, site.names, Practice())
    site.gone(Wire())
    site.close()
