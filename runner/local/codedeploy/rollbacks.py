"""Taking back: the last good revision deployed again, as a deployment of its own.

Source: CodeDeploy user guide, "Redeploy and roll back a deployment with CodeDeploy".
"""

from __future__ import annotations

import dataclasses
import hashlib

from runner.local.codedeploy.account import Account
from runner.local.codedeploy.routing import predefined
from runner.local.codedeploy.values import Deployment, Revision

_IDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"


def plan(account: Account, failed: Deployment, *, now: float) -> Deployment | None:
    """The deployment that takes `failed` back; None if the group has no good revision yet.

    It goes at once, runs no hooks and heeds no alarms: else one that rings would keep it back.
    What a group's first deployment replaced CodeDeploy does not know.
    """
    good = account.region(failed.region).good.get(failed.group.identity)
    if failed.takes_back or good is None:
        failed.rollback_message = (
            "The deployment cannot be rolled back: the deployment group has no last known good "
            "revision."
        )
        return None
    made = Deployment(
        identity=_identity(failed),
        region=failed.region,
        group=failed.group,
        config=predefined()[_AT_ONCE],
        revision=_back(good),
        created=now,
        creator="codeDeployRollback",
        description=f"Rollback of deployment {failed.identity}",
        previous=failed.revision,
        triggering=failed.identity,
    )
    failed.rolled_back_by = made.identity
    failed.rollback_message = f"Deployment {made.identity} rolls this deployment back."
    return made


def settle(account: Account, ended: Deployment) -> None:
    """Tells the deployment that `ended` took back how that went."""
    failed = account.region(ended.region).deployments.get(ended.triggering)
    if failed:
        how = "succeeded" if ended.status == "Succeeded" else "failed"
        failed.rollback_message = f"Deployment {ended.identity}, which rolled this back, {how}."


def _back(good: Revision) -> Revision:
    return dataclasses.replace(good, spec=dataclasses.replace(good.spec, hooks=()))


def _identity(failed: Deployment) -> str:
    """Drawn from what it takes back: not every rollback begins in a recorded call."""
    drawn = hashlib.sha256(f"rollback of {failed.identity}".encode()).digest()
    return "d-" + "".join(_IDS[byte % len(_IDS)] for byte in drawn[:9])
