"""Operations on functions and their versions: create, change, publish, read, delete.

Sources: Lambda developer guide, "Lambda function states" and "Manage Lambda function versions".
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping

from runner.local.compute import views
from runner.local.compute.desk import Desk
from runner.local.compute.reference import (
    NUMBER,
    absent,
    conflict,
    invalid,
    reference,
    version_of,
)
from runner.local.compute.settings import changed, created
from runner.local.compute.store import LATEST, Function, Settings, Version
from runner.local.letters import Sender
from runner.local.wire import Call, Operation, Parameters, Result

# Cloud seconds. AWS promises none: "Pending" and "InProgress" last seconds for zips outside a VPC.
CREATING = 1.5
UPDATING = 1.0
_DEAD_LETTERS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}


class Functions:
    """Operations by name; all are called under the control plane's lock."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateFunction": self.create,
            "GetFunction": self.get,
            "GetFunctionConfiguration": self.get_configuration,
            "UpdateFunctionCode": self.update_code,
            "UpdateFunctionConfiguration": self.update_configuration,
            "PublishVersion": self.publish,
            "ListVersionsByFunction": self.list_versions,
            "ListFunctions": self.list,
            "DeleteFunction": self.delete,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        wanted = reference(parameters, call)
        settings = created({**parameters, "FunctionName": wanted.name})
        if self._desk.store.find(call.region, wanted.name):
            raise conflict(f"Function already exist: {wanted.name}")
        self._check_role(settings["Role"])
        self._check_dead_letters(settings)
        now = self._desk.clock.now()
        function = Function(
            name=wanted.name,
            region=call.region,
            arn=f"arn:aws:lambda:{call.region}:{call.account}:function:{wanted.name}",
            tags=dict(parameters.get("Tags") or {}),
            latest=Version(
                number=LATEST,
                code=self._desk.codes.of(parameters["Code"], "CreateFunction"),
                settings=settings,
                revision=self._desk.ids.uuid(),
                modified=now,
                ready_at=now + CREATING,
            ),
        )
        self._desk.store.functions[call.region, wanted.name] = function
        if parameters.get("Publish"):
            return self._view(function, self._published(function, settings["Description"]))
        return self._view(function, function.latest)

    def get(self, parameters: Parameters, call: Call) -> Result:
        function, wanted = self._desk.find(parameters, call)
        version = version_of(function, wanted.qualifier)
        answer: Result = {
            "Configuration": self._view(function, version, wanted.qualifier),
            "Code": {"RepositoryType": "S3", "Location": location(function, version)},
        }
        if function.tags:
            answer["Tags"] = dict(function.tags)
        if function.reserved is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
        return answer

    def get_configuration(self, parameters: Parameters, call: Call) -> Result:
        function, wanted = self._desk.find(parameters, call)
        version = version_of(function, wanted.qualifier)
        return self._view(function, version, wanted.qualifier)

    def update_code(self, parameters: Parameters, call: Call) -> Result:
        function = self._changeable(parameters, call)
        code = self._desk.codes.of(parameters, "UpdateFunctionCode")
        architectures = parameters.get("Architectures")
        settings = dict(function.latest.settings)
        settings |= {"Architectures": architectures} if architectures else {}
        if parameters.get("DryRun"):
            tried = dataclasses.replace(function.latest, code=code, settings=settings)
            return self._view(function, tried)
        self._replace(function, dataclasses.replace(function.latest, code=code, settings=settings))
        if parameters.get("Publish"):
            return self._view(function, self._published(function, settings["Description"]))
        return self._view(function, function.latest)

    def update_configuration(self, parameters: Parameters, call: Call) -> Result:
        function = self._changeable(parameters, call)
        settings = changed(function.latest.settings, parameters, name=function.name)
        if "Role" in parameters:
            self._check_role(settings["Role"])
        if "Role" in parameters or "DeadLetterConfig" in parameters:
            self._check_dead_letters(settings)
        if (parameters.get("Environment") or {}).get("Variables") == {}:
            settings.pop("Environment", None)
        self._replace(function, dataclasses.replace(function.latest, settings=settings))
        return self._view(function, function.latest)

    def publish(self, parameters: Parameters, call: Call) -> Result:
        function = self._changeable(parameters, call)
        latest = function.latest
        wanted = parameters.get("CodeSha256")
        if wanted and wanted != latest.code.sha256:
            raise invalid(
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST "
                f"({latest.code.sha256}). Please try again with the CodeSHA256 in $LATEST."
            )
        description = parameters.get("Description") or latest.settings["Description"]
        return self._view(function, self._published(function, description))

    def list_versions(self, parameters: Parameters, call: Call) -> Result:
        function, _ = self._desk.find(parameters, call)
        versions = [function.latest, *function.published.values()]
        shown = [self._view(function, each, each.number) for each in versions]
        return views.page(shown, parameters, under="Versions")

    def list(self, parameters: Parameters, call: Call) -> Result:
        every = parameters.get("FunctionVersion") == "ALL"
        shown = [
            self._view(function, version, version.number if every else "")
            for function in self._desk.store.of(call.region)
            for version in [function.latest, *(function.published.values() if every else ())]
        ]
        return views.page(shown, parameters, under="Functions")

    def delete(self, parameters: Parameters, call: Call) -> Result:
        function, wanted = self._desk.find(parameters, call)
        if wanted.qualifier:
            self._delete_version(function, wanted.qualifier)
        else:
            del self._desk.store.functions[wanted.region, wanted.name]
        self._desk.forget(function)
        return {"StatusCode": 204}

    def _delete_version(self, function: Function, qualifier: str) -> None:
        if qualifier == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        if not NUMBER.fullmatch(qualifier):
            raise invalid("Deletion of aliases is not currently supported.")
        if qualifier not in function.published:
            raise absent(f"Function not found: {function.qualified(qualifier)}")
        using = [a for a in function.aliases.values() if qualifier in (a.version, *a.weights)]
        if using:
            raise conflict(
                f"Version {qualifier} of function {function.arn} is referenced by the alias "
                f"{using[0].name}. Remove the reference before deleting the version."
            )
        del function.published[qualifier]
        function.policies.pop(qualifier, None)

    def _changeable(self, parameters: Parameters, call: Call) -> Function:
        """The function, if no change is under way and the caller knows its present state."""
        function, wanted = self._desk.find(parameters, call)
        if wanted.qualifier not in ("", LATEST):
            raise invalid("This operation changes or publishes $LATEST: name no other qualifier.")
        settled(function, function.latest, self._desk.clock.now())
        self._desk.same_revision(parameters, function.latest.revision)
        return function

    def _replace(self, function: Function, latest: Version) -> None:
        now = self._desk.clock.now()
        before = dataclasses.replace(function.latest, before=None)
        function.latest = dataclasses.replace(
            latest,
            revision=self._desk.ids.uuid(),
            modified=now,
            ready_at=now + UPDATING,
            before=before,
        )
        self._desk.forget(function)

    def _published(self, function: Function, description: str) -> Version:
        """A new version; or the last one, if neither code nor configuration changed since."""
        latest = function.latest
        last = function.published.get(str(function.numbered))
        if last and _same(last, latest):
            return last
        function.numbered += 1
        now = self._desk.clock.now()
        settings = copy.deepcopy(latest.settings) | {"Description": description}
        version = Version(
            number=str(function.numbered),
            code=latest.code,
            settings=settings,
            revision=self._desk.ids.uuid(),
            modified=now,
            ready_at=now + CREATING,
        )
        function.published[version.number] = version
        # AWS's pages leave it open; so whoever holds an old revision has to read again.
        latest.revision = self._desk.ids.uuid()
        return version

    def _check_role(self, arn: str) -> None:
        if not self._desk.roles.assumable(arn, "lambda.amazonaws.com"):
            raise invalid("The role defined for the function cannot be assumed by Lambda.")

    def _check_dead_letters(self, settings: Settings) -> None:
        """Source: Lambda developer guide, "Adding a dead-letter queue"."""
        arn = (settings.get("DeadLetterConfig") or {}).get("TargetArn")
        if not arn:
            return
        kind = arn.split(":")[2]
        action = _DEAD_LETTERS.get(kind)
        if action is None or arn.endswith(".fifo"):
            raise invalid(f"The dead letter target {arn} must be a standard SQS queue or SNS topic")
        sender = Sender(role=settings["Role"])
        if not self._desk.outlet().may(arn, action, sender=sender):
            raise invalid(
                "The provided execution role does not have permissions to call "
                f"{action.partition(':')[2]} on {kind.upper()}"
            )

    def _view(self, function: Function, version: Version, qualifier: str = "") -> Result:
        return views.configuration(
            function, version, now=self._desk.clock.now(), qualifier=qualifier
        )


def settled(function: Function, version: Version, now: float) -> None:
    """Refuses what cannot be done while Lambda is still at work on a version."""
    if now >= version.ready_at:
        return
    arn = function.qualified("" if version.number == LATEST else version.number)
    if version.before is not None:
        raise conflict(
            "The operation cannot be performed at this time. "
            f"An update is in progress for resource: {arn}"
        )
    raise conflict(
        "The operation cannot be performed at this time. "
        "The function is currently in the following state: Pending"
    )


def location(function: Function, version: Version) -> str:
    """Where the zip can be fetched: a host of ours, named as AWS's own bucket is."""
    bucket = f"awslambda-{function.region}-tasks.s3.{function.region}.amazonaws.com"
    return f"https://{bucket}/snapshots/{function.name}/{version.number.replace('$', '')}"


def _same(published: Version, latest: Version) -> bool:
    """A version's description is its own: it does not make code and configuration another."""
    ignored = {"Description"}
    return published.code.sha256 == latest.code.sha256 and all(
        published.settings.get(key) == latest.settings.get(key)
        for key in {*published.settings, *latest.settings} - ignored
    )
