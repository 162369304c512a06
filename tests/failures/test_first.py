"""A first deploy that AWS refuses again and again: rows 8, 12, 29 and 30, and the end of a site.

One site goes through all of it, in the order in which a deploy makes things. Each run goes on from
where the last one stopped; nothing is made twice, and `destroy` leaves nothing of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from runner.audit import audit
from runner.local.faults import Fault
from tests.failures.conftest import Stage
from tests.failures.scene import EVER, Scene
from tests.labs import holdings


@dataclass(frozen=True, kw_only=True)
class Refused:
    """One run of the story: what AWS answers to which call, and what the user is told."""

    on: str
    answer: str
    said: str
    status: int = 400
    code: str
    exits: int = 3
    words: tuple[str, ...]

    @property
    def fault(self) -> Fault:
        service, _, operation = self.on.partition(":")
        return Fault(
            kind="error",
            service=service,
            operation=operation,
            times=EVER,
            code=self.answer,
            message=self.said,
            status=self.status,
        )


STORY = (
    Refused(
        on="iam:CreateRole",
        answer="LimitExceeded",
        said="Cannot exceed quota for RolesPerAccount: 1000",
        status=409,
        code="JAM-QUOTA-ROLES",
        words=("iam:CreateRole", "RolesPerAccount: 1000", "Service Quotas"),
    ),
    Refused(
        on="cloudfront:CreateCachePolicy",
        answer="TooManyCachePolicies",
        said="You have reached the maximum number of cache policies for this AWS account.",
        code="JAM-QUOTA-EDGE",
        words=("cloudfront:CreateCachePolicy", "maximum number", "us-east-1"),
    ),
    Refused(
        on="lambda:CreateFunction",
        answer="InvalidParameterValueException",
        said="The role defined for the function cannot be assumed by Lambda.",
        code="JAM-ROLE-NOT-READY",
        exits=75,
        words=("120 s", "cannot be assumed by Lambda", "Run again"),
    ),
    Refused(
        on="cloudfront:CreateDistributionWithTags",
        answer="TooManyDistributions",
        said="Processing your request would cause you to exceed the maximum number allowed.",
        code="JAM-QUOTA-EDGE",
        words=("cloudfront:CreateDistribution", "exceed the maximum", "jam:site"),
    ),
    Refused(
        on="lambda:AddPermission",
        answer="PolicyLengthExceededException",
        said="The final policy size (20486) is bigger than the limit (20480).",
        code="JAM-QUOTA-POLICY",
        words=("lambda:AddPermission", "20486", "cannot be raised"),
    ),
)


def test_a_first_deploy_that_is_refused_at_every_turn_goes_live_when_it_no_longer_is(
    stage: Stage,
) -> None:
    """Steps run beside each other, so that any of the refusals may come first."""
    young, left = stage.fresh(), list(STORY)
    while left:
        with young.broken(*(each.fault for each in left)):
            ended = young.deploy(young.commit())
        told = f"{ended.message} {ended.hint}"
        met = [each for each in left if all(word in told for word in each.words)]
        assert [(each.code, each.exits) for each in met] == [(ended.code, ended.status)], ended
        assert young.record().release == ""
        assert young.lease() == "free"
        left.remove(met[0])
    commit = young.commit()
    ended = young.deploy(commit)
    assert (ended.status, ended.outcome) == (0, "live"), ended
    assert young.site.visit().document == commit.page
    one = Counter({"distribution": 1, "api": 1, "store": 1, "bucket": 1, "table": 1})
    assert holdings.foundation(young.site.aws) & one == one
    doubled = holdings.foundation(young.site.aws) - one
    assert not {"distribution", "api", "store", "bucket", "table"} & set(doubled)
    assert audit(young.site.aws, young.site.names).unexplained == ()


def test_12_a_distribution_that_somebody_else_keeps_changing_is_left_to_them(scene: Scene) -> None:
    scene.settled()
    before = scene.kept()
    stale = Fault(
        kind="error",
        service="cloudfront",
        operation="UpdateDistribution",
        times=EVER,
        code="PreconditionFailed",
        message="The precondition in one or more of the request fields evaluated to false.",
        status=412,
    )
    with scene.broken(stale):
        ended = scene.destroy()
    assert (ended.code, ended.status) == ("JAM-CF-CHANGED", 75), ended
    assert "distribution" in ended.message
    assert "Run again" in ended.hint
    assert scene.site.visit() == before.seen


def test_11_a_distribution_that_is_not_off_everywhere_yet_is_taken_up_by_the_next_run(
    scene: Scene, stage: Stage
) -> None:
    scene.settled()
    settings = scene.cloud.cloudfront.settings
    usual, settings.deployment = settings.deployment, 7200.0
    ended = scene.destroy()
    settings.deployment = usual
    assert (ended.code, ended.status) == ("JAM-CF-PROPAGATING", 75), ended
    assert "goes on from here" in ended.hint
    scene.site.sleep(7200)
    assert scene.destroy().status == 0
    assert audit(scene.site.aws, scene.site.names).of_site == ()
    stage.drop()
