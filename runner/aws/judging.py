"""What settles a rollout may do: read counts, move alias and store, record it. Pure."""

from __future__ import annotations

from runner.aws.policies import Document, allow, document
from runner.entry.counts import NAMESPACE
from runner.names import PRODUCTION, Names

STORE_ACTIONS = [
    "cloudfront-keyvaluestore:DescribeKeyValueStore",
    "cloudfront-keyvaluestore:UpdateKeys",
]
# CloudWatch knows no resources for these.
METRICS = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"]


def rights(names: Names) -> list[Document]:
    """What settles a rollout: read counts, alias and deployment; move alias and store; record it.

    Aliases of the site's functions as well: those that stream. No more follows a release from
    here: schedules would need PassRole of their role, CORS a write to the whole API.
    Source: EventBridge Scheduler user guide, "Identity-based policies", PassRole.
    Metrics and alarms' states know no resources; a topic is its owner's to choose.
    Source: Service Authorization Reference, of each service.
    """
    here = f"{names.region}:{names.account}"
    entry = names.function_arn(names.entry)
    group = f"deploymentgroup:{names.application}/{PRODUCTION}"
    return [
        allow(
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            f"arn:{names.partition}:dynamodb:{here}:table/{names.records}",
        ),
        allow(
            ["codedeploy:GetDeployment", "codedeploy:ListDeployments"],
            f"arn:{names.partition}:codedeploy:{here}:{group}",
        ),
        # It knows no resources. Source: Service Authorization Reference, "AWS CodeDeploy".
        allow("codedeploy:StopDeployment", "*"),
        allow(
            ["lambda:GetAlias", "lambda:UpdateAlias"],
            [entry, f"{entry}:*", names.function_arn(f"{names.functions}*")],
        ),
        allow(METRICS, "*"),
        {
            **allow("cloudwatch:PutMetricData", "*"),
            "Condition": {"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
        },
        allow(
            "cloudwatch:DeleteAlarms",
            f"arn:{names.partition}:cloudwatch:{here}:alarm:{names.prefix}-*",
        ),
        allow(
            "events:DisableRule",
            f"arn:{names.partition}:events:{here}:rule/{names.guard_clock}",
        ),
        allow("sns:Publish", f"arn:{names.partition}:sns:{here}:*"),
    ]


def guarded(store_arn: str) -> Document:
    """What the guard may do beside its role: write to this store, whose ARN AWS picked."""
    return document(allow(STORE_ACTIONS, store_arn))
