"""Operations on tags of applications and deployment groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from runner.local.codedeploy.account import Account
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_MOST = 50
_LONGEST_KEY = 128
_LONGEST_VALUE = 256
_KINDS = ("application", "deploymentgroup")


def checked(
    given: Sequence[Parameters] | None, *, before: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """`before` with a request's tags. Raises InvalidTagsToAddException."""
    made = dict(before) | {tag.get("Key") or "": tag.get("Value") or "" for tag in given or []}
    if len(made) > _MOST or any(
        not 1 <= len(key) <= _LONGEST_KEY
        or len(value) > _LONGEST_VALUE
        or key.lower().startswith("aws:")
        for key, value in made.items()
    ):
        raise AwsError("InvalidTagsToAddException", "The specified tags are not valid.")
    return made


class Tags:
    """Tag, untag, list."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operations(self) -> Mapping[str, Operation]:
        return {
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list,
        }

    def tag(self, parameters: Parameters, call: Call) -> Result:
        arn = self._found(parameters, call)
        if not parameters.get("Tags"):
            raise AwsError("TagRequiredException", "A tag was not specified.")
        before = self._account.tags.get(arn, {})
        self._account.tags[arn] = checked(parameters["Tags"], before=before)
        return {}

    def untag(self, parameters: Parameters, call: Call) -> Result:
        arn = self._found(parameters, call)
        if not parameters.get("TagKeys"):
            raise AwsError("TagRequiredException", "A tag was not specified.")
        for key in parameters["TagKeys"]:
            self._account.tags[arn].pop(key, None)
        return {}

    def list(self, parameters: Parameters, call: Call) -> Result:
        arn = self._found(parameters, call)
        return {"Tags": [{"Key": k, "Value": v} for k, v in self._account.tags[arn].items()]}

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """(ARN, tags) of everything, for the tagging API."""
        return [(arn, dict(tags)) for arn, tags in self._account.tags.items()]

    def _found(self, parameters: Parameters, call: Call) -> str:
        arn = str(parameters.get("ResourceArn") or "")
        if not arn:
            raise AwsError("ResourceArnRequiredException", "The ARN of a resource is required.")
        parts = arn.split(":", 6)
        if len(parts) != 7 or parts[2] != "codedeploy":
            raise AwsError("InvalidArnException", "The specified ARN is not in a valid format.")
        if parts[5] not in _KINDS:
            raise AwsError("ArnNotSupportedException", "The specified ARN is not supported.")
        application, _, group = parts[6].partition("/")
        asked = {"applicationName": application, "deploymentGroupName": group}
        if parts[5] == "application":
            self._account.application(call.region, asked)
        else:
            self._account.group(call.region, asked)
        return arn
