"""Operations on revisions: the AppSpecs that an application knows, found by their digest."""

from __future__ import annotations

from collections.abc import Mapping

from runner.local.codedeploy import views
from runner.local.codedeploy.account import Account, Registered, page
from runner.local.codedeploy.appspec import located, revision
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

_SORTED_BY = {
    "registerTime": lambda each: each.registered,
    "firstUsedTime": lambda each: each.first_used or 0,
    "lastUsedTime": lambda each: each.last_used or 0,
}
_LONGEST_DESCRIPTION = 256


class Revisions:
    """Register, get, list."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operations(self) -> Mapping[str, Operation]:
        return {
            "RegisterApplicationRevision": self.register,
            "GetApplicationRevision": self.get,
            "ListApplicationRevisions": self.list,
        }

    def register(self, parameters: Parameters, call: Call) -> Result:
        application = self._account.application(call.region, parameters).name
        description = parameters.get("description") or ""
        if len(description) > _LONGEST_DESCRIPTION:
            raise AwsError("DescriptionTooLongException", "The description is too long.")
        made = revision(parameters.get("revision"))
        kept = self._account.region(call.region).revisions
        entry = kept.setdefault(
            (application, made.sha256),
            Registered(revision=made, registered=self._account.clock.now()),
        )
        entry.description = description or entry.description
        return {}

    def get(self, parameters: Parameters, call: Call) -> Result:
        """The only operation that tells an AppSpec's content."""
        application = self._account.application(call.region, parameters).name
        _, content, digest = located(parameters.get("revision"))
        sha256 = digest or revision(parameters["revision"]).sha256 if content else digest
        found = self._account.region(call.region).revisions.get((application, sha256))
        if found is None:
            raise AwsError("RevisionDoesNotExistException", "The revision does not exist.")
        return {
            "applicationName": application,
            "revision": views.revision(found.revision, whole=True),
            "revisionInfo": _info(found),
        }

    def list(self, parameters: Parameters, call: Call) -> Result:
        application = self._account.application(call.region, parameters).name
        by, order = parameters.get("sortBy") or "registerTime", parameters.get("sortOrder")
        if by not in _SORTED_BY:
            raise AwsError("InvalidSortByException", "The column to sort by is unknown.")
        if order not in (None, "ascending", "descending"):
            raise AwsError("InvalidSortOrderException", "The sort order is unknown.")
        kept = self._account.region(call.region).revisions
        found = sorted(
            (each for (owner, _), each in kept.items() if owner == application),
            key=_SORTED_BY[by],
            reverse=order == "descending",
        )
        shown, more = page(_deployed(found, parameters), parameters.get("nextToken"))
        return {"revisions": [views.revision(each.revision) for each in shown], **more}


def _deployed(found: list[Registered], parameters: Parameters) -> list[Registered]:
    wanted = parameters.get("deployed") or "ignore"
    if wanted not in ("include", "exclude", "ignore"):
        raise AwsError("InvalidDeployedStateFilterException", "The deployed filter is unknown.")
    if parameters.get("s3Bucket") or parameters.get("s3KeyPrefix"):
        return []
    return [
        each for each in found if wanted == "ignore" or bool(each.groups) == (wanted == "include")
    ]


def _info(each: Registered) -> Result:
    shown: Result = {
        "description": each.description or "Application revision registered by Deployment",
        "deploymentGroups": sorted(each.groups),
        "registerTime": views.moment(each.registered),
    }
    if each.first_used is not None and each.last_used is not None:
        shown["firstUsedTime"] = views.moment(each.first_used)
        shown["lastUsedTime"] = views.moment(each.last_used)
    return shown
