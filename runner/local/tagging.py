"""The tagging API's GetResources: moto's resources and those of our own services, by tag.

Source: Resource Groups Tagging API reference, GetResources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from runner.local.wire import AwsError, Call, Operation, Parameters, Result, Rule

Tags = Mapping[str, str]
_GLOBAL_REGION = "us-east-1"
_PAGE = 50
_MOST = 100
_ALL = 1_000_000  # more than moto can hold


class Tagging:
    """`services` may each offer `tagged()`, pairs of an ARN and its tags; `moto` gives the
    backend of a region."""

    name = "resourcegroupstaggingapi"

    def __init__(self, services: Callable[[], Iterable[Any]], moto: Callable[[str], Any]) -> None:
        self._services = services
        self._moto = moto

    def operations(self) -> Mapping[str, Operation]:
        return {"GetResources": self.get_resources}

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        """Keeps nothing of its own."""

    def get_resources(self, parameters: Parameters, call: Call) -> Result:
        wanted = [
            (arn, tags) for arn, tags in self._all(call.region) if _matches(arn, tags, parameters)
        ]
        begin = int(parameters.get("PaginationToken") or 0)
        size = _size(parameters)
        shown = sorted(wanted, key=lambda each: each[0])[begin : begin + size]
        more = begin + size < len(wanted)
        return {
            "PaginationToken": str(begin + size) if more else "",
            "ResourceTagMappingList": [
                {"ResourceARN": arn, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
                for arn, tags in shown
            ],
        }

    def _all(self, region: str) -> Iterable[tuple[str, Tags]]:
        """A region's own resources; those without a region are told in one place only."""
        for service in self._services():
            for arn, tags in service.tagged() if hasattr(service, "tagged") else ():
                if tags and (arn.split(":")[3] or _GLOBAL_REGION) == region:
                    yield arn, tags
        _, found = self._moto(region).get_resources(resources_per_page=_ALL, tags_per_page=_ALL)
        for resource in found:
            yield resource.arn, _mapped(resource.tags)


def _mapped(found: Any) -> Tags:
    """moto has some services' tags as a mapping (schedule groups), others' as a list."""
    if isinstance(found, Mapping):
        return {str(key): str(value) for key, value in found.items()}
    return {tag["Key"]: tag["Value"] for tag in found}


def _matches(arn: str, tags: Tags, parameters: Parameters) -> bool:
    """Every tag filter, one of the types, one of the ARNs; what is not given asks nothing."""
    types: Sequence[str] = parameters.get("ResourceTypeFilters") or ()
    arns: Sequence[str] = parameters.get("ResourceARNList") or ()
    return (
        all(_tagged(tags, wanted) for wanted in parameters.get("TagFilters") or ())
        and (not types or any(_is_of(arn, each) for each in types))
        and (not arns or arn in arns)
    )


def _tagged(tags: Tags, wanted: Mapping[str, Any]) -> bool:
    values = wanted.get("Values")
    return wanted["Key"] in tags and (not values or tags[wanted["Key"]] in values)


def _is_of(arn: str, kind: str) -> bool:
    """`lambda` is any resource of the service, `lambda:function` one type of it."""
    service, _, wanted = kind.partition(":")
    _, _, found, _, _, resource = arn.split(":", 5)
    path = resource.lstrip("/").replace(":", "/")
    return service == found and (not wanted or path.split("/")[0] == wanted)


def _size(parameters: Parameters) -> int:
    size = int(parameters.get("ResourcesPerPage") or _PAGE)
    if not 1 <= size <= _MOST:
        raise AwsError("InvalidParameterException", "ResourcesPerPage must be from 1 to 100")
    return size


RULES: tuple[Rule, ...] = (
    Rule(
        service="resourcegroupstaggingapi",
        rule="GetResources tells the resources of the region that is asked; CloudFront's, which "
        "have none, in us-east-1 only",
        page='Resource Groups Tagging API reference, "GetResources"; CloudFront developer guide, '
        '"Tag a distribution"',
    ),
)
