"""What calls of the regional services ask for, beside what functions ask of them. Pure.

Source: Service Authorization Reference, "Actions, resources, and condition keys", a page a service.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.local.function_rights import Asked
from runner.local.permissions import action_of
from runner.local.protocol import Incoming
from runner.local.rights.ask import Ask, Asks, passing, tags_in

_NETWORK = ("DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs")


def alike(asked: Asked) -> Asks:
    """As functions are asked, and the right to tag what is made with tags."""

    def asks(incoming: Incoming, here: str) -> Iterator[Ask]:
        action, resource = "", "*"
        for action, resource in asked(incoming, here):
            yield Ask(action, resource)
        if incoming.operation.startswith("Create") and tags_in(incoming.parameters):
            service = action.partition(":")[0]
            verb = "TagQueue" if service == "sqs" else "TagResource"
            yield Ask(f"{service}:{verb}", resource).given(tags_in(incoming.parameters))

    return asks


def dynamodb(inner: Asks) -> Asks:
    """Tags and recovery are asked for by ARN; lists know no table."""

    def asks(incoming: Incoming, here: str) -> Iterator[Ask]:
        arn = incoming.parameters.get("ResourceArn")
        if arn or incoming.operation in ("ListTables", "ListBackups"):
            yield Ask(f"dynamodb:{incoming.operation}", arn or "*")
        else:
            yield from inner(incoming, here)

    return asks


def functions(inner: Asks) -> Asks:
    """Whoever gives a function its role, its code and its layers must be able to reach them."""

    def asks(incoming: Incoming, here: str) -> Iterator[Ask]:
        asked = incoming.parameters
        arn = asked.get("Resource")
        if arn:
            yield Ask(f"lambda:{incoming.operation}", arn)
            return
        yield from inner(incoming, here)
        code = asked.get("Code") or asked
        if code.get("S3Bucket"):
            yield Ask("s3:GetObject", f"arn:aws:s3:::{code['S3Bucket']}/{code['S3Key']}")
        if incoming.operation in ("CreateFunction", "UpdateFunctionConfiguration"):
            yield from passing(asked.get("Role"), "lambda")
            for layer in asked.get("Layers") or ():
                yield Ask("lambda:GetLayerVersion", layer)
            if (asked.get("VpcConfig") or {}).get("SubnetIds"):
                yield from (Ask(f"ec2:{each}") for each in _NETWORK)

    return asks


def codedeploy(inner: Asks) -> Asks:
    def asks(incoming: Incoming, here: str) -> Iterator[Ask]:
        asked = incoming.parameters
        if asked.get("ResourceArn"):
            yield Ask(f"codedeploy:{incoming.operation}", asked["ResourceArn"])
            return
        yield from inner(incoming, here)
        yield from passing(asked.get("serviceRoleArn"), "codedeploy")

    return asks


def scheduler(incoming: Incoming, here: str) -> Iterator[Ask]:
    asked, operation = incoming.parameters, incoming.operation
    arn = asked.get("ResourceArn")
    if operation.endswith("ScheduleGroup"):
        arn = f"arn:aws:scheduler:{here}:schedule-group/{asked.get('Name')}"
    elif operation.endswith("Schedule"):
        group = asked.get("GroupName") or "default"
        arn = f"arn:aws:scheduler:{here}:schedule/{group}/{asked.get('Name')}"
    yield Ask(f"scheduler:{operation}", arn or "*")
    yield from passing((asked.get("Target") or {}).get("RoleArn"), "scheduler")
    if operation == "CreateScheduleGroup" and tags_in(asked):
        yield Ask("scheduler:TagResource", arn or "*").given(tags_in(asked))


def rules(incoming: Incoming, here: str) -> Iterator[Ask]:
    asked, operation = incoming.parameters, incoming.operation
    name = asked.get("Name") or asked.get("Rule")
    arn = asked.get("ResourceARN") or (f"arn:aws:events:{here}:rule/{name}" if name else "*")
    yield Ask(f"events:{operation}", arn)
    if operation == "PutRule" and tags_in(asked):
        yield Ask("events:TagResource", arn).given(tags_in(asked))
    yield from passing(asked.get("RoleArn"), "events")


def cloudwatch(inner: Asks) -> Asks:
    def asks(incoming: Incoming, here: str) -> Iterator[Ask]:
        asked = incoming.parameters
        if asked.get("ResourceARN"):
            yield Ask(f"cloudwatch:{incoming.operation}", asked["ResourceARN"])
            return
        namespace = asked.get("Namespace")
        context = {"cloudwatch:namespace": namespace} if namespace else {}
        for each in inner(incoming, here):
            yield Ask(each.action, each.resource, context)
            if incoming.operation == "PutMetricAlarm" and tags_in(asked):
                yield Ask("cloudwatch:TagResource", each.resource).given(tags_in(asked))

    return asks


# Deliveries of logs, and lists, know no resources.
_OF_GROUPS = frozenset(
    {"CreateLogGroup", "DeleteLogGroup", "FilterLogEvents", "PutRetentionPolicy",
     "DescribeLogStreams", "GetLogEvents", "TagLogGroup", "CreateLogStream"}
)  # fmt: skip


def logs(incoming: Incoming, here: str) -> Iterator[Ask]:
    asked, action = incoming.parameters, f"logs:{incoming.operation}"
    name = asked.get("logGroupName") if incoming.operation in _OF_GROUPS else None
    arn = asked.get("resourceArn") or asked.get("logGroupIdentifier")
    group = f"arn:aws:logs:{here}:log-group:{name}" if name else arn
    yield Ask(action, group or "*")
    if incoming.operation == "CreateLogGroup" and tags_in(asked):
        yield Ask("logs:TagResource", group or "*").given(tags_in(asked))


def certificates(incoming: Incoming, _here: str) -> Iterator[Ask]:
    asked = incoming.parameters
    yield Ask(f"acm:{incoming.operation}", asked.get("CertificateArn") or "*")
    if incoming.operation == "RequestCertificate" and tags_in(asked):
        arn = "arn:aws:acm:us-east-1:{}:certificate/*".format(_here.rpartition(":")[2])
        yield Ask("acm:AddTagsToCertificate", arn).given(tags_in(asked))


def zones(incoming: Incoming, _here: str) -> Iterator[Ask]:
    asked = incoming.parameters
    zone = asked.get("HostedZoneId") or asked.get("Id")
    arn = f"arn:aws:route53:::hostedzone/{zone.rpartition('/')[2]}" if zone else "*"
    is_list = incoming.operation == "ListHostedZonesByName"
    yield Ask(f"route53:{incoming.operation}", "*" if is_list else arn)


def stacks(incoming: Incoming, here: str) -> Iterator[Ask]:
    name = incoming.parameters.get("StackName")
    arn = f"arn:aws:cloudformation:{here}:stack/{name}/*" if name else "*"
    yield Ask(f"cloudformation:{incoming.operation}", arn)


def plain(incoming: Incoming, _here: str) -> Iterator[Ask]:
    """Of no resource."""
    yield Ask(action_of(incoming))
