"""What the role that runs jam-deploy needs, and why: docs/permissions.md is made of it. Pure.

A test holds it to the calls that the code makes. Names of actions and kinds of resources:
Service Authorization Reference, "Actions, resources, and condition keys", a page a service.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase

UNNAMED = "this resource"  # where neither AWS nor the call says which


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Actions of one `service` (IAM's prefix) on the same `resources`, and what they are for."""

    why: str
    service: str
    names: str  # of actions, apart by spaces
    resources: tuple[str, ...] = ("*",)

    @property
    def actions(self) -> tuple[str, ...]:
        return tuple(f"{self.service}:{name}" for name in self.names.split())


def _arn(rest: str) -> str:
    return f"arn:aws:{rest}"


_FUNCTIONS = (_arn("lambda:*:*:function:jam-*"),)
_TABLES = (_arn("dynamodb:*:*:table/jam-*"),)
_ROLES = (_arn("iam::*:role/jam/jam-*"),)
_APIS = (_arn("apigateway:*::/apis"), _arn("apigateway:*::/apis/*"), _arn("apigateway:*::/tags/*"))

NEEDS: tuple[Need, ...] = (
    Need(
        why="records, the lease, and the site's own tables",
        service="dynamodb",
        names="BatchGetItem ConditionCheckItem CreateTable DeleteItem DeleteTable "
        "DescribeContinuousBackups DescribeTable DescribeTimeToLive GetItem "
        "ListTagsOfResource PutItem Query Scan TagResource UpdateContinuousBackups UpdateItem "
        "UpdateTable UpdateTimeToLive",
        resources=_TABLES,
    ),
    Need(why="audit and destroy", service="dynamodb", names="ListBackups ListTables"),
    Need(
        why="the bucket of the site's files",
        service="s3",
        names="CreateBucket DeleteBucket GetBucketLocation GetBucketOwnershipControls "
        "GetBucketPolicy GetBucketPublicAccessBlock GetBucketTagging GetBucketVersioning "
        "GetLifecycleConfiguration ListBucket ListBucketMultipartUploads ListBucketVersions "
        "PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock "
        "PutLifecycleConfiguration TagResource",
        resources=(_arn("s3:::jam-*"),),
    ),
    Need(
        why="the site's files",
        service="s3",
        names="AbortMultipartUpload DeleteObject DeleteObjectVersion GetObject PutObject",
        resources=(_arn("s3:::jam-*/*"),),
    ),
    Need(why="audit and destroy", service="s3", names="ListAllMyBuckets"),
    Need(
        why="functions, entry and guard: versions, aliases, URLs",
        service="lambda",
        names="AddPermission CreateAlias CreateFunction CreateFunctionUrlConfig DeleteAlias "
        "DeleteFunction DeleteFunctionConcurrency "
        "DeleteFunctionUrlConfig GetAlias GetFunction GetFunctionConcurrency "
        "GetFunctionEventInvokeConfig GetFunctionUrlConfig GetPolicy "
        "InvokeFunction ListAliases ListFunctionUrlConfigs ListTags ListVersionsByFunction "
        "PutFunctionConcurrency PutFunctionEventInvokeConfig RemovePermission TagResource "
        "UpdateAlias UpdateFunctionCode UpdateFunctionConfiguration UpdateFunctionUrlConfig",
        resources=_FUNCTIONS,
    ),
    Need(why="room for code; get, audit and destroy", service="lambda",
        names="GetAccountSettings ListFunctions",
    ),
    Need(
        why="functions with layers", service="lambda", names="GetLayerVersion",
        resources=(_arn("lambda:*:*:layer:*"),),
    ),
    Need(
        why="functions in a VPC", service="ec2",
        names="DescribeSecurityGroups DescribeSubnets DescribeVpcs",
    ),
    Need(
        why="roles of functions, entry, API and guard, inside the account's boundary",
        service="iam",
        names="CreateRole DeleteRole DeleteRolePolicy DetachRolePolicy "
        "ListAttachedRolePolicies ListRolePolicies ListRoleTags PassRole "
        "PutRolePermissionsBoundary PutRolePolicy TagRole UpdateAssumeRolePolicy",
        resources=_ROLES,
    ),
    # Of a role that is not there yet IAM knows no path: it refuses by "role NAME", not to have it.
    Need(
        why="whether such a role is there",
        service="iam",
        names="GetRole GetRolePolicy",
        resources=(*_ROLES, _arn("iam::*:role/jam-*")),
    ),
    Need(
        why="whether the account is prepared", service="iam", names="GetPolicy",
        resources=(_arn("iam::*:policy/jam/*"),),
    ),
    Need(
        why="its own rights, asked before a first deploy; doctor and audit",
        service="iam",
        names="GetAccountSummary ListPolicies ListRoles SimulatePrincipalPolicy",
    ),
    Need(
        why="CloudFront",
        service="cloudfront",
        names="CreateCachePolicy CreateDistribution CreateFunction CreateKeyValueStore "
        "CreateOriginAccessControl CreateOriginRequestPolicy DeleteCachePolicy DeleteDistribution "
        "DeleteFunction DeleteKeyValueStore DeleteOriginAccessControl DeleteOriginRequestPolicy "
        "DescribeFunction DescribeKeyValueStore GetCachePolicy GetDistribution "
        "GetDistributionConfig GetFunction GetOriginAccessControl GetOriginRequestPolicy "
        "ListCachePolicies ListConflictingAliases ListDistributions ListFunctions "
        "ListKeyValueStores ListOriginAccessControls ListOriginRequestPolicies "
        "ListTagsForResource PublishFunction TagResource UpdateCachePolicy UpdateDistribution "
        "UpdateFunction UpdateOriginAccessControl UpdateOriginRequestPolicy",
    ),
    Need(
        why="`domain`: certificates",
        service="acm",
        names="AddTagsToCertificate DeleteCertificate DescribeCertificate ListTagsForCertificate",
        resources=(_arn("acm:us-east-1:*:certificate/*"),),
    ),
    Need(
        why="`domain`: certificates", service="acm", names="ListCertificates RequestCertificate"
    ),
    Need(
        why="`domain`: records, where the zone is in this account",
        service="route53",
        names="ChangeResourceRecordSets GetHostedZone ListResourceRecordSets",
        resources=(_arn("route53:::hostedzone/*"),),
    ),
    Need(
        why="`domain`: where the zone is; who has a name already",
        service="route53",
        names="ListHostedZonesByName",
    ),
    Need(
        why="which release is live",
        service="cloudfront-keyvaluestore",
        names="DescribeKeyValueStore GetKey ListKeys UpdateKeys",
        resources=(_arn("cloudfront::*:key-value-store/*"),),
    ),
    Need(
        why="routes and functions of a release",
        service="apigateway",
        names="DELETE GET PATCH POST PUT TagResource",
        resources=_APIS,
    ),
    Need(
        why="the API's access log (`access_log = false` does without)",
        service="logs",
        names="CreateLogDelivery CreateLogGroup DeleteLogDelivery DescribeLogGroups "
        "DescribeResourcePolicies GetLogDelivery ListLogDeliveries PutResourcePolicy "
        "UpdateLogDelivery",
    ),
    Need(
        why="log groups of functions and of the API",
        service="logs",
        names="DeleteLogGroup FilterLogEvents ListTagsForResource PutRetentionPolicy TagResource",
        resources=(
            _arn("logs:*:*:log-group:/aws/lambda/jam-*"),
            _arn("logs:*:*:log-group:/aws/vendedlogs/jam-*"),
        ),
    ),
    Need(
        why="schedules of functions",
        service="scheduler",
        names="CreateSchedule CreateScheduleGroup DeleteSchedule DeleteScheduleGroup GetSchedule "
        "GetScheduleGroup ListTagsForResource TagResource UpdateSchedule",
        resources=(
            _arn("scheduler:*:*:schedule-group/jam-*"),
            _arn("scheduler:*:*:schedule/jam-*"),
        ),
    ),
    Need(
        why="audit and destroy", service="scheduler", names="ListScheduleGroups ListSchedules"
    ),
    Need(
        why="failed events of functions in the background",
        service="sqs",
        names="CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags "
        "SetQueueAttributes TagQueue",
        resources=(_arn("sqs:*:*:jam-*"),),
    ),
    Need(why="audit and destroy", service="sqs", names="ListQueues"),
    Need(
        why="rollouts",
        service="codedeploy",
        names="CreateApplication CreateDeployment CreateDeploymentConfig "
        "CreateDeploymentGroup DeleteApplication DeleteDeploymentGroup GetApplication "
        "GetApplicationRevision GetDeployment GetDeploymentConfig GetDeploymentGroup "
        "ListDeploymentGroups ListDeployments ListTagsForResource RegisterApplicationRevision "
        "TagResource UpdateDeploymentGroup",
        resources=(
            _arn("codedeploy:*:*:application:jam-*"),
            _arn("codedeploy:*:*:deploymentgroup:jam-*/*"),
            _arn("codedeploy:*:*:deploymentconfig:*"),
        ),
    ),
    # CodeDeploy's own table of permissions has a group for StopDeployment and the targets; by the
    # Service Authorization Reference they know no resources, and both are satisfied by all of them.
    Need(
        why="rollouts, audit",
        service="codedeploy",
        names="BatchGetDeploymentTargets ListApplications "
        "ListDeploymentConfigs ListDeploymentTargets StopDeployment",
    ),
    Need(
        why="rollouts: the guard's clock",
        service="events",
        names="DeleteRule DescribeRule DisableRule EnableRule ListTagsForResource "
        "ListTargetsByRule PutRule PutTargets RemoveTargets TagResource",
        resources=(_arn("events:*:*:rule/jam-*"),),
    ),
    Need(why="audit and destroy", service="events", names="ListRules"),
    Need(
        why="rollouts: the candidate's alarm; the alarm on failed events",
        service="cloudwatch",
        names="DeleteAlarms ListTagsForResource PutMetricAlarm TagResource",
        resources=(_arn("cloudwatch:*:*:alarm:jam-*"),),
    ),
    Need(
        why="rollouts: what is counted; status",
        service="cloudwatch",
        names="DescribeAlarms GetMetricData PutMetricData",
    ),
    Need(why="`notify`", service="sns", names="Publish", resources=(_arn("sns:*:*:*"),)),
    Need(
        why="values of Parameter Store in `environment`, and whether `secrets` exist",
        service="ssm",
        names="GetParameter GetParameters",
        resources=(_arn("ssm:*:*:parameter/*"),),
    ),
    Need(
        why="whether `secrets` of Secrets Manager exist",
        service="secretsmanager",
        names="DescribeSecret",
        resources=(_arn("secretsmanager:*:*:secret:*"),),
    ),
    Need(
        why="parameters with a key of their own (`kms:ViaService` can narrow it to ssm)",
        service="kms",
        names="Decrypt",
        resources=(_arn("kms:*:*:key/*"),),
    ),
    Need(why="audit: what else bears our tag", service="tag", names="GetResources"),
    Need(
        why="audit: the account's stack", service="cloudformation", names="DescribeStacks",
        resources=(_arn("cloudformation:*:*:stack/jam-deploy/*"),),
    ),
)  # fmt: skip


def statement(action: str, resource: str = UNNAMED) -> str:
    """The one statement that lets a policy do `action`, as a line of JSON."""
    known = next((need.resources for need in NEEDS if _covers(need, action)), ("*",))
    where = list(known) if resource == UNNAMED else [resource]
    told = {"Effect": "Allow", "Action": action, "Resource": where[0] if len(where) == 1 else where}
    return json.dumps(told)


def _covers(need: Need, action: str) -> bool:
    return any(fnmatchcase(action.lower(), each.lower()) for each in need.actions)
