"""API Gateway's errors, and what all of its operations do alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runner.local.clock import Clock
from runner.local.compute.http_api.store import Api, Apis
from runner.local.ids import Ids
from runner.local.wire import AwsError, Parameters, Result

if TYPE_CHECKING:
    from runner.execution.tokens import Tokens
    from runner.local.compute.http_api.access_log import Groups

_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class ApiDesk:
    """What the operations work with; `redeploy` follows an API whose routes are others now.

    `tokens` knows issuers' keys, `groups` takes access logs.
    """

    clock: Clock
    ids: Ids
    account: str
    tokens: Tokens
    groups: Groups
    apis: Apis = field(default_factory=Apis)
    redeploy: Callable[[ApiDesk, Api], None] = lambda _desk, _api: None

    def changed(self, api: Api) -> None:
        self.redeploy(self, api)

    def find(self, parameters: Parameters, region: str) -> Api:
        found = self.apis.apis.get(parameters["ApiId"])
        if found is None or found.region != region:
            raise absent(f"Invalid API identifier specified {self.account}:{parameters['ApiId']}")
        return found


def bad(message: str) -> AwsError:
    return AwsError("BadRequestException", message)


def absent(message: str) -> AwsError:
    return AwsError("NotFoundException", message, status=404)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message, status=409)


def missing(what: str) -> AwsError:
    return AwsError("NotImplemented", f"{what} of HTTP APIs are not emulated.", status=501)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def page(items: list[Result], parameters: Parameters) -> Result:
    """One page by `NextToken` and `MaxResults`."""
    try:
        begin = int(parameters.get("NextToken") or 0)
        size = min(int(parameters.get("MaxResults") or _PAGE), 500)
    except ValueError:
        raise bad("Invalid value for pagination parameters") from None
    answer: dict[str, Any] = {"Items": items[begin : begin + size]}
    if begin + size < len(items):
        answer["NextToken"] = str(begin + size)
    return answer
