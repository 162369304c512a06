"""Operations on distributions."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

from runner.local.cloudfront import checks
from runner.local.cloudfront.account import Account
from runner.local.cloudfront.checks import Certificates, Config, items
from runner.local.cloudfront.conflicts import Conflicts
from runner.local.cloudfront.defaults import filled
from runner.local.cloudfront.entities import Entity, moment, page, truncated
from runner.local.cloudfront.pages import api, guide, rule
from runner.local.cloudfront.tags import checked
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

RULES = (
    *rule(
        api("CreateDistribution"),
        "a CallerReference is used once: DistributionAlreadyExists",
    ),
    *rule(
        api("UpdateDistribution"),
        "an update that changes CallerReference is refused: IllegalUpdate",
        "every write gives a new ETag and Status InProgress, later Deployed; until then the edges "
        "serve the former configuration",
    ),
    *rule(guide("cloudfront-limits"), "at most 500 distributions: TooManyDistributions"),
    *rule(
        guide("HowToDeleteDistribution"),
        "only a distribution that is disabled, and Deployed as such, is deleted: "
        "DistributionNotDisabled",
    ),
)

_MOST = 500  # of an account
_MISSING_SUMMARY = (
    "CallerReference",
    "Logging",
    "DefaultRootObject",
    "ContinuousDeploymentPolicyId",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A distribution: what was written last, and what edges serve until that is deployed."""

    config: Config
    former: Config | None  # None: nothing is served before
    deployed_at: float
    domain: str

    def served(self, now: float) -> Config | None:
        return self.config if now >= self.deployed_at else self.former


class Distributions:
    """Create, get, update, delete, list."""

    def __init__(self, account: Account, certificates: Certificates) -> None:
        self._account = account
        self._certificates = certificates

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateDistribution": self.create,
            "CreateDistributionWithTags": self.create_with_tags,
            "GetDistribution": self.get,
            "GetDistributionConfig": self.get_config,
            "UpdateDistribution": self.update,
            "DeleteDistribution": self.delete,
            "ListDistributions": self.listed,
            "ListConflictingAliases": Conflicts(self._account, self._certificates).listed,
        }

    def create(self, parameters: Parameters, _call: Call) -> Result:
        return self._create(parameters["DistributionConfig"], tags={})

    def create_with_tags(self, parameters: Parameters, _call: Call) -> Result:
        given = parameters["DistributionConfigWithTags"]
        return self._create(given["DistributionConfig"], tags=checked(given["Tags"]))

    def _create(self, given: Config, *, tags: dict[str, str]) -> Result:
        config = self._checked(given, own="")
        reference = config["CallerReference"]
        if any(other["CallerReference"] == reference for other in self._account.configs()):
            raise AwsError(
                "DistributionAlreadyExists",
                "The caller reference you attempted to create the distribution with is associated "
                "with another distribution.",
            )
        if len(self._account.distributions.items) >= _MOST:
            raise AwsError("TooManyDistributions", "Too many distributions in this account.")
        ids = self._account.ids
        body = Written(
            config=config, former=None, deployed_at=self._deployed_at(),
            domain=f"d{ids.upper(13).lower()}.cloudfront.net",
        )  # fmt: skip
        made = self._account.entity(identity="E" + ids.upper(13), kind="distribution", body=body)
        self._account.distributions.put(made)
        self._account.tags[made.arn] = tags
        location = f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{made.id}"
        return {**self._shown(made), "Location": location}

    def get(self, parameters: Parameters, _call: Call) -> Result:
        return self._shown(self._account.distributions.get(parameters["Id"]))

    def get_config(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.distributions.get(parameters["Id"])
        return {"DistributionConfig": copy.deepcopy(found.body.config), "ETag": found.etag}

    def update(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.distributions.matched(parameters["Id"], parameters.get("IfMatch"))
        config = self._checked(parameters["DistributionConfig"], own=found.id)
        if config["CallerReference"] != found.body.config["CallerReference"]:
            raise AwsError(
                "IllegalUpdate", "The update contains modifications that are not allowed."
            )
        now = self._account.now()
        body = replace(
            found.body,
            config=config,
            former=found.body.served(now),
            deployed_at=self._deployed_at(),
        )
        made = found.rewritten(body, etag=self._account.etag(), now=now)
        return self._shown(self._account.distributions.put(made))

    def delete(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.distributions.matched(parameters["Id"], parameters.get("IfMatch"))
        if found.body.config["Enabled"] or self._account.now() < found.body.deployed_at:
            raise AwsError(
                "DistributionNotDisabled",
                "The distribution you are trying to delete has not been disabled.",
            )
        self._account.distributions.remove(found.id)
        self._account.tags.pop(found.arn, None)
        self._account.invalidations.pop(found.id, None)
        return {}

    def listed(self, parameters: Parameters, _call: Call) -> Result:
        listed = [self._summary(each) for each in self._account.distributions.items.values()]
        made = page(listed, parameters, key=lambda each: str(each["Id"]))
        return {"DistributionList": truncated(made, parameters)}

    def _checked(self, given: Config, *, own: str) -> Config:
        config = filled(given)
        checks.check(config, account=self._account, own=own, certificates=self._certificates)
        return config

    def _deployed_at(self) -> float:
        return self._account.now() + self._account.settings.deployment

    def _status(self, found: Entity) -> str:
        return "Deployed" if self._account.now() >= found.body.deployed_at else "InProgress"

    def _shown(self, found: Entity) -> Result:
        none = {"Enabled": False, "Quantity": 0}
        return {
            "Distribution": {
                **self._head(found),
                "InProgressInvalidationBatches": self._open_invalidations(found.id),
                "ActiveTrustedSigners": none,
                "ActiveTrustedKeyGroups": none,
                "DistributionConfig": copy.deepcopy(found.body.config),
                "AliasICPRecordals": self._recordals(found),
            },
            "ETag": found.etag,
        }

    def _summary(self, found: Entity) -> dict[str, Any]:
        config = copy.deepcopy(found.body.config)
        kept = {key: value for key, value in config.items() if key not in _MISSING_SUMMARY}
        return {
            **kept, **self._head(found), "ETag": found.etag,
            "AliasICPRecordals": self._recordals(found),
        }  # fmt: skip

    def _head(self, found: Entity) -> dict[str, Any]:
        return {
            "Id": found.id,
            "ARN": found.arn,
            "Status": self._status(found),
            "LastModifiedTime": moment(found.modified),
            "DomainName": found.body.domain,
        }

    def _recordals(self, found: Entity) -> list[dict[str, str]]:
        aliases = items(found.body.config["Aliases"])
        return [{"CNAME": alias, "ICPRecordalStatus": "APPROVED"} for alias in aliases]

    def _open_invalidations(self, identity: str) -> int:
        now = self._account.now()
        listed = self._account.invalidations.get(identity, ())
        return sum(1 for each in listed if now < each.body.done_at)
