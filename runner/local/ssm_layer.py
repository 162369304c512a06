"""What Parameter Store does and moto does not: a reference to Secrets Manager keeps its name."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from runner.local.overlay import Forward
from runner.local.protocol import Incoming
from runner.local.wire import Response, Rule

_MANAGED = "/aws/reference/secretsmanager/"


class SsmLayer:
    """Puts the path before the names of secrets that moto answers with."""

    name = "ssm"

    def reset(self) -> None:
        """It keeps nothing."""

    def around(self, incoming: Incoming, forward: Forward) -> Response:
        response = forward(incoming)
        if incoming.operation not in ("GetParameter", "GetParameters") or response.status != 200:
            return response
        answer = json.loads(response.body)
        for parameter in [*answer.get("Parameters", []), *_one(answer)]:
            if "SourceResult" in parameter and not parameter["Name"].startswith(_MANAGED):
                parameter["Name"] = f"{_MANAGED}{parameter['Name']}"
        headers = tuple(pair for pair in response.headers if pair[0] != "content-length")
        return dataclasses.replace(response, headers=headers, body=json.dumps(answer).encode())


def _one(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [answer["Parameter"]] if "Parameter" in answer else []


RULES: tuple[Rule, ...] = (
    Rule(service="ssm", rule="a reference to Secrets Manager is answered under its full name",
         page='Systems Manager user guide, "Referencing AWS Secrets Manager secrets from Parameter '
         'Store parameters"'),
)  # fmt: skip
