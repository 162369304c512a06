"""The guard: its function, and the two rules that wake it.

One is a clock that runs only while a rollout is open; the other hears what becomes of deployments.
"""

from __future__ import annotations

import json
from typing import Any

from runner.apply import Known
from runner.aws import functions, logs, ownership
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.versions import Wanted
from runner.model import Upkeep
from runner.names import ALIAS, Names
from runner.package.archive import lambda_digest
from runner.package.guard import ARCHITECTURE, HANDLER, RUNTIME
from runner.plan.foundation import Role
from runner.plan.refs import Made, Ref

MEMORY, TIMEOUT = 256, 55  # MB; seconds: before the clock strikes again
EVERY = "rate(1 minute)"
_TARGET = "guard"


def find(aws: Aws, names: Names) -> str | None:
    """The guard's name, where function and clock stand."""
    try:
        aws.rules.describe_rule(Name=names.guard_clock)
    except aws.rules.exceptions.ResourceNotFoundException:
        return None
    found = functions.find(aws, names, name=names.guard)
    return names.guard if found else None


def make(aws: Aws, names: Names, *, known: Known, archive: bytes) -> str:
    """The guard with this program, and its rules; returns the function's name."""
    wanted = Wanted(
        name=names.guard,
        role_arn=known[Ref(Made.ROLE, Role.GUARD)],
        runtime=RUNTIME,
        handler=HANDLER,
        architecture=ARCHITECTURE,
        memory=MEMORY,
        timeout=TIMEOUT,
        code_sha256=lambda_digest(archive),
        size=len(archive),
        archive=archive,
        environment=environment(names, known=known),
    )
    functions.publish_ready(aws, names, wanted=wanted)
    functions.restore(aws, names, wanted=wanted)  # the rules call what is newest
    around(aws, names)
    return names.guard


def around(aws: Aws, names: Names) -> None:
    """What is around the guard, put right without its program at hand."""
    functions.wake(aws, names.guard)
    logs.make_group(aws, names, group=f"/aws/lambda/{names.guard}", days=Upkeep().log_days)
    make_rules(aws, names)


def make_rules(aws: Aws, names: Names) -> None:
    """The clock and the word of CodeDeploy. The clock may be running for a rollout: it stays so."""
    _make_rule(aws, names, rule=names.guard_clock, more={"ScheduleExpression": EVERY})
    pattern = json.dumps(pattern_of(names))
    _make_rule(aws, names, rule=names.guard_word, more={"EventPattern": pattern})


def environment(names: Names, *, known: Known) -> dict[str, str]:
    """What the guard is told of its site."""
    return {
        "JAM_SITE": names.site,
        "JAM_RECORDS": names.records,
        "JAM_STORE": known[Ref(Made.STORE)],
        "JAM_API": known[Ref(Made.API)],
        "JAM_ENTRY": names.entry,
        "JAM_ALIAS": ALIAS,
        "JAM_CLOCK": names.guard_clock,
        "JAM_APPLICATION": names.application,
    }


def pattern_of(names: Names) -> dict[str, Any]:
    """What CodeDeploy says of this site's deployments.

    Source: CodeDeploy user guide, "Monitoring deployments with Amazon CloudWatch Events".
    """
    return {
        "source": ["aws.codedeploy"],
        "detail-type": ["CodeDeploy Deployment State-change Notification"],
        "detail": {"application": [names.application]},
    }


def start_clock(aws: Aws, names: Names) -> None:
    """Wakes the guard every minute, until the rollout is settled."""
    aws.rules.enable_rule(Name=names.guard_clock)


def _make_rule(aws: Aws, names: Names, *, rule: str, more: dict[str, Any]) -> None:
    """The rule, its right to call the guard, and the guard as its target."""
    found = _rule(aws, names, rule=rule)
    state = found.get("State", "DISABLED") if rule == names.guard_clock else "ENABLED"
    wanted = {"State": state, "Description": f"wakes {names.guard}", **more}
    arn = str(found.get("Arn", ""))
    if any(found.get(key) != value for key, value in wanted.items()):
        # Tags are taken for a new rule alone. Source: EventBridge API reference, PutRule.
        tags = {} if found else {"Tags": ownership.tag_list(names)}
        arn = str(aws.rules.put_rule(Name=rule, **wanted, **tags)["RuleArn"])
    if arn not in _callers(aws, names):
        with tolerating("ResourceConflictException"):
            aws.functions.add_permission(
                FunctionName=names.guard,
                StatementId=rule,
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
                SourceArn=arn,
            )
    target = {"Id": _TARGET, "Arn": names.function_arn(names.guard)}
    if target in aws.rules.list_targets_by_rule(Rule=rule)["Targets"]:
        return
    failed = aws.rules.put_targets(Rule=rule, Targets=[target])
    if failed["FailedEntryCount"]:
        raise RuntimeError(failed["FailedEntries"])


def _rule(aws: Aws, names: Names, *, rule: str) -> dict[str, Any]:
    """The rule, seen to be ours; empty without one."""
    try:
        found = dict(aws.rules.describe_rule(Name=rule))
    except aws.rules.exceptions.ResourceNotFoundException:
        return {}
    tags = aws.rules.list_tags_for_resource(ResourceARN=found["Arn"]).get("Tags", [])
    ownership.check(ownership.mapped(tags), names, what=f"The rule {rule}")
    return found


def _callers(aws: Aws, names: Names) -> frozenset[str]:
    """The rules that may call the guard."""
    with tolerating("ResourceNotFoundException"):
        policy = json.loads(aws.functions.get_policy(FunctionName=names.guard)["Policy"])
        sources = (each.get("Condition", {}).get("ArnLike", {}) for each in policy["Statement"])
        return frozenset(str(each.get("AWS:SourceArn", "")) for each in sources)
    return frozenset()
