"""Operations on invalidations, and which objects they remove."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from runner.local.cloudfront.account import Account
from runner.local.cloudfront.entities import Entity, moment, page, truncated
from runner.local.cloudfront.pages import api, guide, rule
from runner.local.cloudfront.quantities import normalised
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

RULES = (
    *rule(
        api("CreateInvalidation"),
        "the same CallerReference and paths give the invalidation that exists already; with other "
        "paths: InvalidArgument",
    ),
    *rule(
        guide("Invalidation"),
        "a path begins with a slash; a * stands at its end only; a path names what the function "
        "made of the visitor's, query string included",
    ),
    *rule(
        guide("cloudfront-limits"),
        "at most 3,000 paths and 15 wildcards in progress: TooManyInvalidationsInProgress",
    ),
)

_PATHS = 3000
_WILDCARDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalidation:
    """Paths whose objects are gone from `done_at` on, if they were stored before."""

    batch: Parameters
    done_at: float

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(self.batch["Paths"].get("Items", []))

    def covers(self, path: str) -> bool:
        return any(
            path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
            for pattern in self.paths
        )


class Invalidations:
    """Create, get, list."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateInvalidation": self.create,
            "GetInvalidation": self.get,
            "ListInvalidations": self.listed,
        }

    def create(self, parameters: Parameters, _call: Call) -> Result:
        distribution = self._account.distributions.get(parameters["DistributionId"])
        batch = normalised(parameters["InvalidationBatch"])
        existing = self._same(distribution.id, batch)
        made = existing or self._new(distribution.id, batch)
        location = (
            "https://cloudfront.amazonaws.com/2020-05-31/distribution/"
            f"{distribution.id}/invalidation/{made.id}"
        )
        return {"Invalidation": self._shown(made), "Location": location}

    def get(self, parameters: Parameters, _call: Call) -> Result:
        self._account.distributions.get(parameters["DistributionId"])
        for each in self._of(parameters["DistributionId"]):
            if each.id == parameters["Id"]:
                return {"Invalidation": self._shown(each)}
        raise AwsError("NoSuchInvalidation", "The specified invalidation does not exist.")

    def listed(self, parameters: Parameters, _call: Call) -> Result:
        self._account.distributions.get(parameters["DistributionId"])
        newest_first = [
            {key: value for key, value in self._shown(each).items() if key != "InvalidationBatch"}
            for each in reversed(self._of(parameters["DistributionId"]))
        ]
        made = page(newest_first, parameters, key=lambda each: str(each["Id"]))
        return {"InvalidationList": truncated(made, parameters)}

    def _of(self, distribution: str) -> tuple[Entity, ...]:
        return self._account.invalidations.get(distribution, ())

    def _same(self, distribution: str, batch: Parameters) -> Entity | None:
        for each in self._of(distribution):
            if each.body.batch["CallerReference"] == batch["CallerReference"]:
                if each.body.batch["Paths"] == batch["Paths"]:
                    return each
                raise AwsError("InvalidArgument", "The caller reference has other paths.")
        return None

    def _new(self, distribution: str, batch: Parameters) -> Entity:
        paths = batch["Paths"].get("Items", [])
        if not paths or any(not _well_formed(path) for path in paths):
            raise AwsError(
                "InvalidArgument", "Your request contains one or more invalid invalidation paths."
            )
        self._within_limits(paths)
        body = Invalidation(
            batch=batch, done_at=self._account.now() + self._account.settings.invalidation
        )
        made = self._account.entity(
            identity="I" + self._account.ids.upper(13), kind="invalidation", body=body
        )
        self._account.invalidations[distribution] = (*self._of(distribution), made)
        return made

    def _within_limits(self, paths: list[str]) -> None:
        now = self._account.now()
        running = [
            path
            for listed in self._account.invalidations.values()
            for each in listed
            if now < each.body.done_at
            for path in each.body.paths
        ]
        wildcards = sum(path.endswith("*") for path in (*running, *paths))
        if len(running) + len(paths) > _PATHS or wildcards > _WILDCARDS:
            raise AwsError(
                "TooManyInvalidationsInProgress",
                "Processing your request would cause you to exceed the maximum number of "
                "in-progress invalidations.",
            )

    def _shown(self, found: Entity) -> Result:
        done = self._account.now() >= found.body.done_at
        return {
            "Id": found.id,
            "Status": "Completed" if done else "InProgress",
            "CreateTime": moment(found.created),
            "InvalidationBatch": copy.deepcopy(found.body.batch),
        }


def _well_formed(path: str) -> bool:
    return path.startswith("/") and "*" not in path[:-1] and " " not in path
