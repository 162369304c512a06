"""Operations on applications. Only those of the Lambda platform are kept."""

from __future__ import annotations

from collections.abc import Mapping

from runner.local.codedeploy.account import Account, batch, named, page
from runner.local.codedeploy.tags import checked
from runner.local.codedeploy.values import Application
from runner.local.codedeploy.views import moment
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

MOST = 1000
_LARGEST_BATCH = 100
_PLATFORMS = ("Server", "Lambda", "ECS")


class Applications:
    """Create, get, list, delete."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateApplication": self.create,
            "GetApplication": self.get,
            "BatchGetApplications": self.batch,
            "ListApplications": self.list,
            "DeleteApplication": self.delete,
        }

    def create(self, parameters: Parameters, call: Call) -> Result:
        name = named(parameters.get("applicationName"), "Application")
        _check_platform(parameters.get("computePlatform") or "Server")
        tags = checked(parameters.get("tags"))
        kept = self._account.region(call.region).applications
        if name in kept:
            raise AwsError(
                "ApplicationAlreadyExistsException", f"Application already exists: {name}"
            )
        if len(kept) >= MOST:
            raise AwsError("ApplicationLimitExceededException", "Too many applications.")
        made = Application(
            name=name, identity=self._account.ids.uuid(), created=self._account.clock.now()
        )
        kept[name] = made
        self._account.tags[self._account.arn(call.region, f"application:{name}")] = tags
        return {"applicationId": made.identity}

    def get(self, parameters: Parameters, call: Call) -> Result:
        return {"application": _shown(self._account.application(call.region, parameters))}

    def batch(self, parameters: Parameters, call: Call) -> Result:
        names = batch(parameters.get("applicationNames") or [], _LARGEST_BATCH)
        found = [
            self._account.application(call.region, {"applicationName": name}) for name in names
        ]
        return {"applicationsInfo": [_shown(each) for each in found]}

    def list(self, parameters: Parameters, call: Call) -> Result:
        names = sorted(self._account.region(call.region).applications)
        shown, more = page(names, parameters.get("nextToken"))
        return {"applications": shown, **more}

    def delete(self, parameters: Parameters, call: Call) -> Result:
        """Deletes what belongs to it as well; one that is not there is no error."""
        name = named(parameters.get("applicationName"), "Application")
        kept = self._account.region(call.region)
        self._account.forget(
            call.region, [g for g in kept.groups.values() if g.application == name]
        )
        for key in [key for key in kept.revisions if key[0] == name]:
            del kept.revisions[key]
        kept.applications.pop(name, None)
        self._account.tags.pop(self._account.arn(call.region, f"application:{name}"), None)
        return {}


def _check_platform(platform: str) -> None:
    if platform not in _PLATFORMS:
        raise AwsError(
            "InvalidComputePlatformException",
            "The computePlatform is invalid. The computePlatform should be Lambda, Server, or ECS.",
        )
    if platform != "Lambda":
        raise AwsError(
            "NotImplemented", f"The embedded CodeDeploy does not deploy to {platform}.", status=501
        )


def _shown(each: Application) -> Result:
    return {
        "applicationId": each.identity,
        "applicationName": each.name,
        "createTime": moment(each.created),
        "linkedToGitHub": False,
        "computePlatform": "Lambda",
    }
