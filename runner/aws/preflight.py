"""What has to hold before a rollout opens: nothing else moves the alias, it is where it should be,
and CodeDeploy knows the way back.

Puts right what it can, and says so; raises what a person has to decide. Visitors get what is
recorded as live, before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runner.aws import deployments
from runner.aws.deployments import AT_ONCE, Shift
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import JamError, aws_error, busy_error
from runner.guard.rollout import Rollout
from runner.names import ALIAS, Names
from runner.plan.promotion import OnOpen

SHIFTED_WITHIN = 600.0  # seconds for CodeDeploy to move an alias at once
# Source: CodeDeploy user guide, "CodeDeploy limits", minutes from the first shift to the last.
LONGEST = 2880 * 60.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The version that all visitors have now, what was done for it, and what people are told."""

    baseline: str
    anchor: str = ""
    notes: tuple[str, ...] = ()


def preflight(
    aws: Aws, names: Names, *, entry: str, on_open: OnOpen, last: Rollout | None
) -> Ready:
    """Makes sure of it; `entry` is the live release's version, `last` the rollout before.

    Raises JamError `JAM-ROLLOUT-BUSY`, `JAM-ROLLOUT-NO-WAY-BACK`.
    """
    cleared = tuple(_cleared(aws, names, deployment=each, on_open=on_open)
                    for each in deployments.active(aws, names))  # fmt: skip
    baseline, moved = _aligned(aws, names, wanted=entry)
    anchor = _anchored(aws, names, baseline=baseline, last=last)
    said = (f"CodeDeploy was told the way back to version {baseline}",) if anchor else ()
    return Ready(baseline=baseline, anchor=anchor, notes=(*cleared, *moved, *said))


def _cleared(aws: Aws, names: Names, *, deployment: str, on_open: OnOpen) -> str:
    """A deployment that no rollout of ours explains. What goes at once is let to its end."""
    found = deployments.info_of(aws, deployment)
    if on_open is OnOpen.REFUSE:
        raise _busy(deployment, str(found.get("creator", "")))
    if found["deploymentConfigName"] == AT_ONCE:
        deployments.ended(aws, deployment, budget=SHIFTED_WITHIN)
        return f"CodeDeploy's deployment {deployment} was let to its end"
    if on_open is OnOpen.WAIT:
        deployments.ended(aws, deployment, budget=LONGEST)
        return f"CodeDeploy's deployment {deployment}, which is not ours, was waited for"
    with tolerating("DeploymentAlreadyCompletedException"):
        # Where the alias should be is recorded: it is put there, not where CodeDeploy remembers.
        aws.deployments.stop_deployment(deploymentId=deployment, autoRollbackEnabled=False)
    after = deployments.ended(aws, deployment, budget=SHIFTED_WITHIN)
    if back := after.get("rollbackInfo", {}).get("rollbackDeploymentId"):
        deployments.ended(aws, back, budget=SHIFTED_WITHIN)
    return f"CodeDeploy's deployment {deployment}, which was not ours, was stopped"


def _aligned(aws: Aws, names: Names, *, wanted: str) -> tuple[str, tuple[str, ...]]:
    """The alias at the live release's version, all of it. A deployment that was stopped without
    rollback leaves weights behind, with which every later one fails.

    Source: CodeDeploy user guide, "Troubleshoot AWS Lambda deployment issues".
    """
    where: Any = {"FunctionName": names.entry, "Name": ALIAS}
    found = aws.functions.get_alias(**where)
    weights = found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    version = wanted or found["FunctionVersion"]
    if found["FunctionVersion"] == version and not weights:
        return version, ()
    aws.functions.update_alias(
        **where,
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": {}},
        RevisionId=found["RevisionId"],
    )
    shared = "".join(f" and {share:.0%} at version {other}" for other, share in weights.items())
    told = f"the entry's alias was at version {found['FunctionVersion']}{shared}, with no rollout"
    return version, (f"{told} open: it was put back to version {version}",)


def _anchored(aws: Aws, names: Names, *, baseline: str, last: Rollout | None) -> str:
    """The deployment that made the baseline CodeDeploy's last good version, where one was needed.

    Our own moves of the alias it does not know: after them it would go back to what is stale. A
    deployment from a version to itself is taken when it goes at once, and only then: seen as
    terraform-aws-modules/terraform-aws-lambda#85.
    """
    good = deployments.last_good(aws, names)
    if good and _target(aws, good, last) == baseline:
        return last.anchor if last and last.anchor == good else ""
    shift = Shift(before=baseline, after=baseline, config=AT_ONCE, told="the way back", back=False)
    anchor = deployments.begin(aws, names, shift=shift)
    ended = deployments.ended(aws, anchor, budget=SHIFTED_WITHIN)
    if ended["status"] != "Succeeded":
        raise _no_way_back(anchor, ended.get("errorInformation", {}).get("message", ""))
    return anchor


def _target(aws: Aws, deployment: str, last: Rollout | None) -> str:
    """Where a deployment went: as recorded, else as CodeDeploy tells in two calls."""
    if last and last.anchor == deployment:
        return last.baseline_version
    if last and last.deployment == deployment:
        return last.candidate_version
    return deployments.target_of(aws, deployment)


def _busy(deployment: str, creator: str) -> JamError:
    return busy_error(
        "JAM-ROLLOUT-BUSY",
        f"CodeDeploy is shifting this site already: {deployment}, by {creator or 'somebody'}.",
        hint='Wait for its end, or set `on_open = "supersede"` in [production.rollout].',
    )


def _no_way_back(deployment: str, said: str) -> JamError:
    return aws_error(
        "JAM-ROLLOUT-NO-WAY-BACK",
        f"CodeDeploy could not be told which version to go back to ({deployment}): {said}",
        hint="Nobody has seen the candidate. `deploy --now` goes without CodeDeploy.",
    )
