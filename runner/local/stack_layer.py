"""CloudFormation in front of moto: our resource types, and outputs after a change set."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from runner.local.overlay import Forward
from runner.local.protocol import Incoming
from runner.local.wire import AwsError, Parameters, Response


class StackLayer:
    """`backend` is moto's for a region."""

    name = "cloudformation"

    def __init__(self, backend: Callable[[str], Any]) -> None:
        self._backend = backend

    def reset(self) -> None:
        """It keeps nothing."""

    def around(self, incoming: Incoming, forward: Forward) -> Response:
        # Only now: moto's CloudFormation imports every service that it knows, half a second.
        importlib.import_module("runner.local.stack_types")
        if incoming.operation == "UpdateStack":
            _check_changed(self._backend(incoming.caller.region), incoming.parameters)
        response = forward(incoming)
        if incoming.operation == "ExecuteChangeSet" and response.status < 400:
            _refresh_outputs(self._backend(incoming.caller.region), incoming.parameters)
        return response


def _check_changed(backend: Any, parameters: Parameters) -> None:
    """moto updates what is the same, too.

    Source: CloudFormation user guide, "Troubleshooting CloudFormation", No updates to perform.
    """
    named = parameters.get("StackName")
    found = [each for each in backend.stacks.values() if named in (each.name, each.stack_id)]
    tags = {each["Key"]: each["Value"] for each in parameters.get("Tags") or ()}
    given = {
        each["ParameterKey"]: each.get("ParameterValue")
        for each in parameters.get("Parameters") or ()
    }
    for stack in found:
        same = stack.template == parameters.get("TemplateBody")
        if same and stack.tags == tags and dict(stack.parameters or {}) == given:
            raise AwsError("ValidationError", "No updates are to be performed.")


def _refresh_outputs(backend: Any, parameters: Parameters) -> None:
    """moto works a stack's outputs out on creation and update, but not after a change set."""
    named = {parameters.get("StackName"), parameters["ChangeSetName"]}
    for change_set in backend.change_sets.values():
        stack = change_set.stack
        if named & {stack.name, stack.stack_id, change_set.change_set_id}:
            stack._parse_template()
            stack.output_map = stack._create_output_map()
