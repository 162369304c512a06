"""Once an account, by an administrator: what every site's own roles are held by.

One CloudFormation stack, because an administrator can read it before it is made. It holds the
boundary of all roles below /jam/, CodeDeploy's service role, and for repositories that are named
the two roles that their workflows deploy with. A later run without them changes none of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from runner.aws import documents, judging, trust
from runner.aws.deploy_roles import Trusted, check, parts
from runner.aws.refusals import code_of, explained, message_of, tolerating
from runner.aws.session import Aws
from runner.aws.waiting import until
from runner.errors import JamError, aws_error, busy_error
from runner.names import BOUNDARY, CODE_DEPLOY_ROLE, ROLE_PATH

STACK = "jam-deploy"
BUDGET = 600  # seconds; the stack takes under a minute
TAGS = {"jam:environment": "account"}  # of no site: `audit` explains it by the stack's name


def template(trusted: Trusted | None = None) -> str:
    """The stack's template, as indented JSON: made to be read and kept."""
    deploying = parts(trusted) if trusted else {}
    return documents.readable(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "jam-deploy: what an account needs before its first site.",
            "Resources": {
                "Boundary": _boundary(),
                "CodeDeployRole": _code_deploy_role(),
                **deploying,
            },
            "Outputs": {
                "BoundaryArn": {"Value": {"Ref": "Boundary"}},
                "CodeDeployRoleArn": {"Value": {"Fn::GetAtt": ["CodeDeployRole", "Arn"]}},
                **(trust.told(trusted) if trusted else {}),
            },
        }
    )


def bootstrap(
    aws: Aws,
    echo: Callable[[str], None],
    *,
    repositories: tuple[str, ...] = (),
    branch: str = "",
) -> None:
    """Creates the stack or brings it up to date; tells `echo` what happens.

    The workflows of `repositories` may deploy from then on, beside those that may already.
    Raises JamError `JAM-BOOTSTRAP-FAILED` with CloudFormation's own reason.
    """
    check(repositories)
    with explained():
        state = _state(aws)
        outputs = _outputs(aws) if state else {}
        trusted = trust.wanted(aws, outputs, repositories=repositories, branch=branch)
        stack = _stack(template(trusted))
        if state == "ROLLBACK_COMPLETE":  # a first attempt that failed can only be deleted
            echo(f"removing the stack {STACK}, whose creation failed before")
            aws.stacks.delete_stack(StackName=STACK)
            state = _settled(aws)
        if state is None:
            _check_elsewhere(aws)
            echo(f"creating the stack {STACK} in {aws.account}, {aws.region}")
            _create(aws, stack)
        elif not _update(aws, stack):
            echo(f"the stack {STACK} is up to date")
            return
        else:
            echo(f"updating the stack {STACK} in {aws.account}, {aws.region}")
        _finish(aws, _settled(aws))
        echo("done: sites can be deployed to this account")
        for line in trust.lines(_outputs(aws)):
            echo(line)


def _check_elsewhere(aws: Aws) -> None:
    """IAM knows no regions: one stack in one region prepares the whole account."""
    boundary = f"arn:{aws.partition}:iam::{aws.account}:policy{ROLE_PATH}{BOUNDARY}"
    with tolerating("NoSuchEntity"):
        aws.roles.get_policy(PolicyArn=boundary)
        raise aws_error(
            "JAM-BOOTSTRAP-ELSEWHERE",
            f"The account is prepared already: {boundary} exists, but the stack {STACK} is not "
            f"in {aws.region}.",
            hint="Nothing is to be done; to update it use --region with the stack's own region.",
        )


def _stack(text: str) -> Any:
    return {
        "StackName": STACK,
        "TemplateBody": text,
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()],
    }


def _create(aws: Aws, stack: Any) -> None:
    """Another run, or this call before its answer was lost, may have made it meanwhile."""
    try:
        aws.stacks.create_stack(**stack, OnFailure="ROLLBACK")
    except aws.stacks.exceptions.AlreadyExistsException:
        _settled(aws)
        _update(aws, stack)


def _update(aws: Aws, stack: Any) -> bool:
    """Whether anything had to change. Source: CloudFormation API reference, UpdateStack."""
    try:
        aws.stacks.update_stack(**stack)
    except ClientError as error:
        unchanged = "No updates are to be performed" in message_of(error)
        if code_of(error) == "ValidationError" and unchanged:
            return False
        raise
    return True


def _state(aws: Aws) -> str | None:
    """CloudFormation says of a missing stack that the request is not valid."""
    try:
        return aws.stacks.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if code_of(error) == "ValidationError" and "does not exist" in message_of(error):
            return None
        raise


def _outputs(aws: Aws) -> dict[str, str]:
    """What the stack says of itself."""
    stacks = aws.stacks.describe_stacks(StackName=STACK)["Stacks"]
    return {
        each["OutputKey"]: each["OutputValue"]
        for stack in stacks
        for each in stack.get("Outputs", [])
    }


def _settled(aws: Aws) -> str | None:
    def probe() -> tuple[str | None] | None:
        state = _state(aws)
        return None if state and state.endswith("_IN_PROGRESS") else (state,)

    (state,) = until(aws, probe, budget=BUDGET, late=_late)
    return None if state == "DELETE_COMPLETE" else state


def _late() -> JamError:
    return busy_error(
        "JAM-BOOTSTRAP-BUSY",
        f"CloudFormation had not finished the stack {STACK} after {BUDGET} s.",
        hint="Look at the stack in the console, then run `jam-deploy bootstrap` again.",
    )


def _finish(aws: Aws, state: str | None) -> None:
    if state in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return
    events = aws.stacks.describe_stack_events(StackName=STACK)["StackEvents"]
    reasons = [
        f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason')}"
        for event in events
        if event.get("ResourceStatus", "").endswith("_FAILED")
    ]
    raise aws_error(
        "JAM-BOOTSTRAP-FAILED",
        f"CloudFormation left the stack {STACK} in {state}: {'; '.join(reversed(reasons))}",
        hint="Correct what it names and run `jam-deploy bootstrap` again.",
    )


def _boundary() -> dict[str, Any]:
    """The most that a site's role can ever do: work on what bears our names, no IAM at all.

    In every region, because the boundary is the account's.
    Source: IAM user guide, "Permissions boundaries for IAM entities".
    """
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": BOUNDARY,
            "Path": ROLE_PATH,
            "Description": "The most that roles of jam-deploy's sites can do",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": _at_most()},
        },
    }


def _at_most() -> list[dict[str, Any]]:
    return [
        _allow(
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            "logs:*:${AWS::AccountId}:log-group:/aws/lambda/jam-*",
        ),
        _allow(
            list(documents.TABLE_ACTIONS),
            "dynamodb:*:${AWS::AccountId}:table/jam-*",
        ),
        _allow(["s3:GetObject", "s3:ListBucket"], "s3:::jam-*"),
        _allow(
            ["lambda:InvokeFunction"],
            "lambda:*:${AWS::AccountId}:function:jam-*",
        ),
        _allow(["sqs:SendMessage"], "sqs:*:${AWS::AccountId}:jam-*"),
        *_guarding(),
        # A parameter's name is its owner's to choose; which ones a role reads its own policy says.
        # What no site of the account may ever read has to have a KMS key whose policy allows none
        # of the roles below /jam/. Source: AWS KMS developer guide, "Key policies in AWS KMS".
        _allow(["ssm:GetParameters"], "ssm:*:${AWS::AccountId}:parameter/*"),
        _allow(["secretsmanager:GetSecretValue"], "secretsmanager:*:${AWS::AccountId}:secret:*"),
        {
            "Effect": "Allow",
            "Action": [*documents.TRACING, *documents.NETWORK],
            "Resource": "*",
        },
        {
            **_allow(["kms:Decrypt"], "kms:*:${AWS::AccountId}:key/*"),
            "Condition": {
                "StringLike": {
                    "kms:ViaService": ["ssm.*.amazonaws.com", "secretsmanager.*.amazonaws.com"]
                }
            },
        },
    ]


def _guarding() -> list[dict[str, Any]]:
    """What guards do; a topic's name is its owner's to choose, a store's id AWS's."""
    account = "${AWS::AccountId}"
    return [
        _allow(["lambda:GetAlias", "lambda:UpdateAlias"], f"lambda:*:{account}:function:jam-*"),
        _allow(judging.STORE_ACTIONS, f"cloudfront::{account}:key-value-store/*"),
        _allow(
            ["codedeploy:GetDeployment", "codedeploy:ListDeployments"],
            f"codedeploy:*:{account}:deploymentgroup:jam-*/*",
        ),
        _allow(["cloudwatch:DeleteAlarms"], f"cloudwatch:*:{account}:alarm:jam-*"),
        _allow(["events:DisableRule"], f"events:*:{account}:rule/jam-*"),
        _allow(["sns:Publish"], f"sns:*:{account}:*"),
        {
            "Effect": "Allow",
            # The last knows no resources. Source: Service Authorization Reference, "CodeDeploy".
            "Action": [
                *judging.METRICS,
                "cloudwatch:PutMetricData",
                "codedeploy:StopDeployment",
            ],
            "Resource": "*",
        },
    ]


def _allow(actions: list[str], resource: str) -> dict[str, Any]:
    arn = {"Fn::Sub": f"arn:${{AWS::Partition}}:{resource}"}
    return {"Effect": "Allow", "Action": actions, "Resource": arn}


def _code_deploy_role() -> dict[str, Any]:
    """Source: CodeDeploy user guide, "Create a service role for CodeDeploy"."""
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": "codedeploy.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    managed = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": CODE_DEPLOY_ROLE,
            "Path": ROLE_PATH,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
            "ManagedPolicyArns": [{"Fn::Sub": managed}],
        },
    }
