"""IAM, what all sites of the account share, and what else bears our tag. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from runner.aws import ownership
from runner.aws.bootstrap import STACK
from runner.aws.inventory.found import OURS, each_of, thing
from runner.aws.refusals import code_of, tolerating
from runner.aws.session import Aws
from runner.names import ROLE_PATH, Names
from runner.plan.inventory import Thing, What

# Their own lists were asked, and know better: what the tagging API still tells of these is gone.
LISTED = frozenset({"acm", "apigateway", "cloudfront", "cloudformation"})


def configurations(aws: Aws, _: Names) -> Iterator[Thing]:
    """CodeDeploy's, told by content: they bear no tags."""
    pages = aws.deployments.get_paginator("list_deployment_configs").paginate()
    for page in pages:
        for name in page["deploymentConfigsList"]:
            if name.startswith(OURS):
                yield thing(What.DEPLOYMENT_CONFIG, name, tags={})


def roles(aws: Aws, _: Names) -> Iterator[Thing]:
    """ListRoles tells no tags. Source: IAM API reference, ListRoles."""

    def look(name: str) -> Thing | None:
        with tolerating("NoSuchEntity"):
            found = aws.roles.list_role_tags(RoleName=name)["Tags"]
            return thing(What.ROLE, name, tags=ownership.mapped(found))
        return None

    pages = aws.roles.get_paginator("list_roles").paginate(PathPrefix=ROLE_PATH)
    return each_of((each["RoleName"] for page in pages for each in page["Roles"]), look)


def policies(aws: Aws, _: Names) -> Iterator[Thing]:
    pages = aws.roles.get_paginator("list_policies").paginate(PathPrefix=ROLE_PATH, Scope="Local")
    for page in pages:
        for each in page["Policies"]:
            yield thing(What.POLICY, each["PolicyName"], tags={}, key=each["Arn"])


def stacks(aws: Aws, _: Names) -> Iterator[Thing]:
    try:
        found = aws.stacks.describe_stacks(StackName=STACK)["Stacks"]
    except ClientError as error:
        if code_of(error) != "ValidationError":
            raise
        return  # not in this region
    for each in found:
        yield thing(What.STACK, each["StackName"], tags={})


def others(aws: Aws, _: Names) -> Iterator[Thing]:
    """What bears our tag under a name that is none of ours."""
    client: Any = aws.make("resourcegroupstaggingapi", 5)
    pages = client.get_paginator("get_resources").paginate(TagFilters=[{"Key": "jam:site"}])
    for page in pages:
        for each in page["ResourceTagMappingList"]:
            arn = each["ResourceARN"]
            service, resource = arn.split(":", 5)[2::3]
            if service not in LISTED and OURS not in resource:
                yield thing(What.OTHER, arn, tags=ownership.mapped(each["Tags"]))
