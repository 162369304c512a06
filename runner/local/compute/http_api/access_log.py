"""Access logs: one line a request, of the variables that a stage's format names.

Sources: API Gateway developer guide, "Configure logging for HTTP APIs in API Gateway", "Customize
HTTP API access logs"; API Gateway V2 API reference, AccessLogSettings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from runner.local.compute.http_api.refusals import bad
from runner.local.compute.http_api.store import Api, Settings
from runner.local.quotas import API_LOG_FORMAT
from runner.local.wire import Call, Request, Response

_GROUP = re.compile(
    r"arn:aws[a-z-]*:logs:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):log-group:"
    r"(?P<group>[A-Za-z0-9._/#-]{1,512})(?::\*)?"
)
_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_]+(?:\.[A-Za-z0-9_:-]+)*)")
# Of the caller who turns logging on. Source: the first of the pages above, "Permissions".
_NEEDED = (
    "logs:CreateLogDelivery", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery", "logs:CreateLogGroup", "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:DescribeLogGroups",
)  # fmt: skip


class Groups(Protocol):
    """CloudWatch Logs, as far as logs are delivered to it."""

    def has(self, region: str, group: str) -> bool:
        """Whether the log group is there."""

    def may(self, call: Call, action: str) -> bool:
        """Whether the caller has the right."""

    def deliver(self, region: str, group: str, stream: str, line: str) -> None:
        """Adds an event now; the stream is made where it is missing."""


def check_access_log(settings: Settings | None, groups: Groups, call: Call) -> None:
    """Raises what API Gateway would for a stage's AccessLogSettings."""
    if not settings:
        return
    text, arn = settings.get("Format") or "", settings.get("DestinationArn") or ""
    found = _GROUP.fullmatch(arn)
    if found is None or found["account"] != call.account or found["region"] != call.region:
        raise bad("Invalid ARN specified in the request. ARNs must start with 'arn:' and name a "
                  "log group or delivery stream of the account and region")  # fmt: skip
    if "$context.requestId" not in text or "\n" in text:
        raise bad("AccessLogFormat must be a single line with at least $context.requestId")
    if len(text.encode()) > API_LOG_FORMAT.limit:
        raise bad(f"AccessLogFormat must not be longer than {API_LOG_FORMAT.limit} bytes")
    if not all(groups.may(call, action) for action in _NEEDED):
        raise bad("Insufficient permissions to enable logging")
    if not groups.has(found["region"], found["group"]):
        raise bad(f"The log group {found['group']} does not exist")


def write(groups: Groups, api: Api, stage: Settings, told: Mapping[str, str]) -> None:
    """One line to the stage's log group, if it has one."""
    settings = stage.get("AccessLogSettings") or {}
    found = _GROUP.fullmatch(settings.get("DestinationArn") or "")
    if found:
        stream = f"{api.identity}_{told['stage'].replace('$', '')}"
        line = rendered(settings["Format"], told)
        groups.deliver(found["region"], found["group"], stream, line)


def rendered(text: str, told: Mapping[str, str]) -> str:
    """The format with its variables; what there is nothing to say of is `-`."""
    return _VARIABLE.sub(lambda found: told.get(found[1]) or "-", text)


def request_context(api: Api, request: Request, *, account: str, at: float) -> dict[str, str]:
    """What is known of a request before it is answered."""
    moment = datetime.fromtimestamp(at, UTC)
    return {
        "accountId": account,
        "apiId": api.identity,
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "httpMethod": request.method,
        "identity.sourceIp": request.client,
        "identity.userAgent": request.header("user-agent"),
        "path": request.path,
        "protocol": "HTTP/1.1",
        "requestTime": f"{moment:%d/%b/%Y:%H:%M:%S} +0000",
        "requestTimeEpoch": str(int(at * 1000)),
    }


def response_context(response: Response, *, milliseconds: int) -> dict[str, str]:
    """What is known of the answer."""
    return {
        "status": str(response.status),
        "responseLength": str(len(response.body)),
        "dataProcessed": str(len(response.body)),
        "responseLatency": str(milliseconds),
    }
