"""AWS's rules that the embedded CodeDeploy keeps, and what it has not."""

from __future__ import annotations

from runner.local.codedeploy import applications, configs, deployments, groups, protection, routing
from runner.local.wire import Rule

_GUIDE = "CodeDeploy user guide, "
_LIMITS = f'{_GUIDE}"CodeDeploy limits"'


def _rule(page: str, *sentences: str) -> tuple[Rule, ...]:
    return tuple(Rule(service="codedeploy", rule=sentence, page=page) for sentence in sentences)


RULES: tuple[Rule, ...] = (
    *_rule(
        _LIMITS,
        f"at most {applications.MOST:,} applications, {groups.MOST:,} groups of one, "
        f"{configs.MOST} own configurations, {deployments.MOST_ACTIVE:,} deployments at once",
        "one deployment of a group at a time: DeploymentLimitExceededException, whose message has "
        "the other's id",
        f"an increment is 1 to {routing.LARGEST} %, an interval at least a minute, and at most "
        f"{routing.LONGEST} minutes pass from the first shift to the last",
        "an own configuration's name does not begin with CodeDeployDefault.",
        f"at most {protection.MOST_TRIGGERS} triggers",
        "a hook's function has an hour to answer",
    ),
    *_rule(
        "CodeDeploy API reference, CreateDeploymentConfig, DeleteDeploymentConfig",
        "a configuration is never changed: DeploymentConfigAlreadyExistsException; one in use is "
        "not deleted, nor a predefined one",
    ),
    *_rule(
        f"{_GUIDE}\"AppSpec 'resources' section\", \"AppSpec 'hooks' section\"",
        "an AppSpec has version 0.0 and one function with Name, Alias, CurrentVersion and "
        "TargetVersion, the last two positive integers; hooks are BeforeAllowTraffic and "
        "AfterAllowTraffic; anything else, or another sha256, is an InvalidRevisionException",
    ),
    *_rule(
        "CodeDeploy API reference, GetDeployment",
        "only GetApplicationRevision tells an AppSpec's content",
    ),
    *_rule(
        f'{_GUIDE}"Create a service role for CodeDeploy"',
        "the service role must exist, trust codedeploy.amazonaws.com and have spread: "
        "InvalidRoleException; what it then may not do fails the deployment with "
        "IAM_ROLE_PERMISSIONS, and one deleted meanwhile with IAM_ROLE_MISSING",
    ),
    *_rule(
        "IAM managed policy AWSCodeDeployRoleForLambda",
        "GetAlias, UpdateAlias, DescribeAlarms, InvokeFunction and Publish need the service role's "
        "policies: the managed ones allow hooks named CodeDeployHook_ only",
    ),
    *_rule(
        "CodeDeploy API reference, AlarmConfiguration, AutoRollbackConfiguration",
        f"at most {protection.MOST_ALARMS} alarms, each once, none empty, none that does not "
        "exist; rollback that is enabled names its events",
        "an alarm whose state cannot be read stops the deployment unless ignorePollAlarmFailure",
    ),
    *_rule(
        f'{_GUIDE}"Monitoring deployments with CloudWatch alarms in CodeDeploy"',
        "an alarm in ALARM, at the start or later, ends the deployment as Stopped with "
        "ALARM_ACTIVE",
    ),
    *_rule(
        f'{_GUIDE}"CodeDeploy permissions reference"',
        "CreateDeployment needs GetDeploymentConfig and RegisterApplicationRevision too, and with "
        "overrideAlarmConfiguration UpdateDeploymentGroup",
    ),
    *_rule(
        f'{_GUIDE}"Redeploy and roll back a deployment with CodeDeploy"',
        "a rollback deploys the group's last good revision as a new deployment, by "
        "codeDeployRollback, at once, without hooks; a group that has none is not rolled back",
        "a deployment's own rollback settings replace its group's",
    ),
    *_rule(
        f'{_GUIDE}"Troubleshoot AWS Lambda deployment issues"',
        "a deployment stopped without rollback leaves the alias its weights, and an alias that has "
        "weights, or is not at CurrentVersion, fails the next with INVALID_LAMBDA_CONFIGURATION",
    ),
    *_rule(
        f'{_GUIDE}"Stopped and failed deployments"',
        "StopDeployment answers Pending, later Succeeded; DeploymentAlreadyCompletedException for "
        "one that ended otherwise",
    ),
    *_rule(
        "CodeDeploy API reference, GetDeploymentTarget, ContinueDeployment",
        "targets are told once the deployment has started; a Lambda deployment cannot be continued",
    ),
    *_rule(
        'EventBridge reference, "AWS CodeDeploy events"',
        "START, SUCCESS, FAILURE and STOP go to EventBridge, and to the topics of the group's "
        "triggers",
    ),
)

NOT_EMULATED: tuple[str, ...] = (
    "CodeDeploy: the Server and ECS platforms, revisions in S3 and GitHub, renaming applications, "
    "GitHub tokens, on-premises instances: 501",
    "CodeDeploy: the AppSpec's keys in lower case, as one page writes them, are refused",
    "CodeDeploy: the seconds until a deployment starts, and those between two looks at the alarms "
    "(here 30), are not AWS's: it names none",
    "CodeDeploy: whether StopDeployment's autoRollbackEnabled=false overrules "
    "DEPLOYMENT_STOP_ON_REQUEST is documented nowhere; here it does not",
)
