"""Operations on tags of distributions, functions and key value stores."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from runner.local.cloudfront.account import Account
from runner.local.cloudfront.pages import api, rule
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

RULES = rule(
    api("TagResource"),
    "tags belong to a resource that exists: NoSuchResource; at most 50, none with the prefix aws:",
)

_MOST = 50


def checked(
    given: Parameters | None, *, before: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """`before` with the tags of a request's `Tags`. Raises InvalidTagging."""
    items = (given or {}).get("Items") or []
    made = dict(before) | {tag["Key"]: tag.get("Value", "") for tag in items}
    if len(made) > _MOST or any(name.startswith("aws:") for name in made):
        raise AwsError("InvalidTagging", "The tagging specified is not valid.")
    return made


class Tags:
    """Tag, untag, list."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operations(self) -> dict[str, Operation]:
        return {
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list,
        }

    def tag(self, parameters: Parameters, _call: Call) -> Result:
        made = checked(parameters["Tags"], before=self._of(parameters))
        self._account.tags[parameters["Resource"]] = made
        return {}

    def untag(self, parameters: Parameters, _call: Call) -> Result:
        gone = set(parameters["TagKeys"].get("Items") or [])
        kept = {key: value for key, value in self._of(parameters).items() if key not in gone}
        self._account.tags[parameters["Resource"]] = kept
        return {}

    def list(self, parameters: Parameters, _call: Call) -> Result:
        listed = [{"Key": key, "Value": value} for key, value in self._of(parameters).items()]
        return {"Tags": {"Items": listed}}

    def _of(self, parameters: Parameters) -> dict[str, str]:
        found = self._account.tags.get(parameters["Resource"])
        if found is None:
            raise AwsError("NoSuchResource", "A resource that was specified is not valid.")
        return found
