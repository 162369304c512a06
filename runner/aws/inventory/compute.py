"""What runs, routes and wakes: that part of the inventory. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from runner.aws import ownership
from runner.aws.api import CALLS
from runner.aws.inventory.found import OURS, each_of, part, thing
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.inventory import Thing, What

NONE: Mapping[str, str] = {}
GROUPS = ("/aws/lambda/jam-", "/aws/vendedlogs/jam-")


def rules(aws: Aws, _: Names) -> Iterator[Thing]:
    def look(found: Any) -> Thing | None:
        answer = aws.rules.list_tags_for_resource(ResourceARN=found["Arn"])
        return thing(What.RULE, found["Name"], tags=ownership.mapped(answer["Tags"]))

    pages = aws.rules.get_paginator("list_rules").paginate(NamePrefix=OURS)
    return each_of((each for page in pages for each in page["Rules"]), look)


def alarms(aws: Aws, _: Names) -> Iterator[Thing]:
    def look(found: Any) -> Thing | None:
        answer = aws.metrics.list_tags_for_resource(ResourceARN=found["AlarmArn"])
        return thing(What.ALARM, found["AlarmName"], tags=ownership.mapped(answer["Tags"]))

    pages = aws.metrics.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=OURS, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    both = (
        each
        for page in pages
        for each in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
    )
    return each_of(both, look)


def schedules(aws: Aws, names: Names) -> Iterator[Thing]:
    """The groups, and this site's schedules: they bear no tags, their group does."""
    pages = aws.schedules.get_paginator("list_schedule_groups").paginate(NamePrefix=OURS)
    for each in (each for page in pages for each in page["ScheduleGroups"]):
        if each["State"] == "DELETING":
            continue
        answer = aws.schedules.list_tags_for_resource(ResourceArn=each["Arn"])
        found = thing(
            What.SCHEDULE_GROUP, each["Name"], tags=ownership.mapped(answer.get("Tags", []))
        )
        yield found
        if found.name == names.schedules:
            inside = aws.schedules.get_paginator("list_schedules").paginate(GroupName=found.name)
            for schedule in (one for page in inside for one in page["Schedules"]):
                yield part(What.SCHEDULE, schedule["Name"], whole=found)


def apis(aws: Aws, names: Names) -> Iterator[Thing]:
    for page in aws.api.get_paginator("get_apis").paginate():
        for each in page["Items"]:
            tags = each.get("Tags", {})
            if "jam:site" not in tags and not each["Name"].startswith(OURS):
                continue
            found = thing(What.API, each["Name"], tags=tags, key=each["ApiId"])
            yield found
            if found.site == names.site:
                yield from _routed(aws, found)


def _routed(aws: Aws, whole: Thing) -> Iterator[Thing]:
    """An API's api_stages, and deployments of which none is made, by what they tell of it."""
    # Before the stages: one that is made meanwhile is not listed, rather than without its stage.
    made = _listed(aws.api.get_paginator("get_deployments"), whole)
    stages = _listed(aws.api.get_paginator("get_stages"), whole)
    for each in stages:
        calls = each.get("Tags", {}).get(CALLS, "")
        yield replace(part(What.API_STAGE, each["StageName"], whole=whole), calls=calls)
    used = {each.get("DeploymentId") for each in stages}
    for each in made:
        key = each["DeploymentId"]
        if key not in used:
            label = each.get("Description") or key
            yield part(What.SPARE_DEPLOYMENT, label, whole=whole, key=key)


def _listed(paginator: Any, api: Thing) -> list[Any]:
    return [each for page in paginator.paginate(ApiId=api.key) for each in page["Items"]]


def applications(aws: Aws, names: Names) -> Iterator[Thing]:
    where = f"arn:{names.partition}:codedeploy:{names.region}:{names.account}"
    client = aws.deployments
    for page in client.get_paginator("list_applications").paginate():
        for name in (each for each in page["applications"] if each.startswith(OURS)):
            tagged = _deployment_tags(aws, f"{where}:application:{name}")
            yield thing(What.APPLICATION, name, tags=tagged)
            groups = client.get_paginator("list_deployment_groups").paginate(applicationName=name)
            for group in (each for one in groups for each in one["deploymentGroups"]):
                tagged = _deployment_tags(aws, f"{where}:deploymentgroup:{name}/{group}")
                yield thing(What.DEPLOYMENT_GROUP, group, tags=tagged, of=name)


def _deployment_tags(aws: Aws, arn: str) -> Mapping[str, str]:
    return ownership.mapped(aws.deployments.list_tags_for_resource(ResourceArn=arn)["Tags"])


def functions(aws: Aws, names: Names) -> Iterator[Thing]:
    """The functions; of this site's the versions, aliases and URLs too."""

    def look(name: str) -> tuple[Thing, ...]:
        with tolerating("ResourceNotFoundException"):
            # Source: Lambda developer guide, "Lambda quotas": GetFunction has the most room.
            tags = aws.functions.get_function(FunctionName=name).get("Tags", {})
            found = thing(What.FUNCTION, name, tags=tags)
            return (found, *(_parts(aws, found) if found.site == names.site else ()))
        return ()

    pages = aws.functions.get_paginator("list_functions").paginate()
    listed = (each["FunctionName"] for page in pages for each in page["Functions"])
    for name in listed:
        if name.startswith(OURS):
            yield from look(name)


def _parts(aws: Aws, whole: Thing) -> Iterator[Thing]:
    name = whole.name
    for page in aws.functions.get_paginator("list_versions_by_function").paginate(
        FunctionName=name
    ):
        for each in page["Versions"]:
            if each["Version"] != "$LATEST":
                label = f"{name}:{each['Version']}"
                yield part(What.VERSION, label, whole=whole, key=each["Version"])
    for aliases in aws.functions.get_paginator("list_aliases").paginate(FunctionName=name):
        for alias in aliases["Aliases"]:
            label = f"{name}:{alias['Name']}"
            yield part(What.ALIAS, label, whole=whole, key=alias["Name"])
    for urls in aws.functions.get_paginator("list_function_url_configs").paginate(
        FunctionName=name
    ):
        for url in urls["FunctionUrlConfigs"]:
            qualifier = url["FunctionArn"].partition(f":function:{name}")[2].lstrip(":")
            yield replace(part(What.FUNCTION_URL, url["FunctionUrl"], whole=whole), key=qualifier)


def queues(aws: Aws, _: Names) -> Iterator[Thing]:
    def look(url: str) -> Thing | None:
        with tolerating("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"):
            tags = aws.queues.list_queue_tags(QueueUrl=url).get("Tags", {})
            return thing(What.QUEUE, url.rpartition("/")[2], tags=tags, key=url)
        return None

    pages = aws.queues.get_paginator("list_queues").paginate(QueueNamePrefix=OURS)
    return each_of((url for page in pages for url in page.get("QueueUrls", ())), look)


def log_groups(aws: Aws, _: Names) -> Iterator[Thing]:
    def look(found: Any) -> Thing | None:
        arn = found["arn"].removesuffix(":*")
        with tolerating("ResourceNotFoundException"):
            tags = aws.logs.list_tags_for_resource(resourceArn=arn)["tags"]
            return thing(What.LOG_GROUP, found["logGroupName"], tags=tags)
        return None

    for prefix in GROUPS:
        pages = aws.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        yield from each_of((each for page in pages for each in page["logGroups"]), look)
