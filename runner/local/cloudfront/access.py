"""Operations on origin access controls."""

from __future__ import annotations

from runner.local.cloudfront.account import Account
from runner.local.cloudfront.entities import Entity, page, truncated
from runner.local.cloudfront.pages import api, guide, rule
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

RULES = (
    *rule(
        api("CreateOriginAccessControl"),
        "the name of an origin access control is used once: OriginAccessControlAlreadyExists",
        "an origin access control is for s3, mediastore, mediapackagev2 or lambda; not for API "
        "Gateway",
    ),
    *rule(
        guide("cloudfront-limits"),
        "at most 100 origin access controls: TooManyOriginAccessControls",
    ),
    *rule(
        api("DeleteOriginAccessControl"),
        "an origin access control that a distribution uses stays: OriginAccessControlInUse",
    ),
)

_MOST = 100  # of an account
_SIGNING = ("never", "always", "no-override", "always-amz-auth")
_TYPES = ("s3", "mediastore", "mediapackagev2", "lambda")


class Controls:
    """Create, get, update, delete, list."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateOriginAccessControl": self.create,
            "GetOriginAccessControl": self.get,
            "GetOriginAccessControlConfig": self.get_config,
            "UpdateOriginAccessControl": self.update,
            "DeleteOriginAccessControl": self.delete,
            "ListOriginAccessControls": self.list,
        }

    def create(self, parameters: Parameters, _call: Call) -> Result:
        config = _checked(parameters["OriginAccessControlConfig"])
        self._name_is_free(config["Name"])
        if len(self._account.controls.items) >= _MOST:
            raise AwsError("TooManyOriginAccessControls", "Too many origin access controls.")
        made = self._account.entity(
            identity="E" + self._account.ids.upper(13), kind="origin-access-control", body=config
        )
        self._account.controls.put(made)
        location = f"https://cloudfront.amazonaws.com/2020-05-31/origin-access-control/{made.id}"
        return {**_shown(made), "Location": location}

    def get(self, parameters: Parameters, _call: Call) -> Result:
        return _shown(self._account.controls.get(parameters["Id"]))

    def get_config(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.controls.get(parameters["Id"])
        return {"OriginAccessControlConfig": found.copy(), "ETag": found.etag}

    def update(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.controls.matched(parameters["Id"], parameters.get("IfMatch"))
        config = _checked(parameters["OriginAccessControlConfig"])
        self._name_is_free(config["Name"], but=found.id)
        made = found.rewritten(config, etag=self._account.etag(), now=self._account.now())
        return _shown(self._account.controls.put(made))

    def delete(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.controls.matched(parameters["Id"], parameters.get("IfMatch"))
        for distribution in self._account.distributions.items.values():
            origins = distribution.body.config["Origins"]["Items"]
            if any(origin.get("OriginAccessControlId") == found.id for origin in origins):
                raise AwsError(
                    "OriginAccessControlInUse",
                    "Cannot delete the origin access control because it's in use by one or more "
                    "distributions.",
                )
        self._account.controls.remove(found.id)
        return {}

    def list(self, parameters: Parameters, _call: Call) -> Result:
        summaries = [
            {"Id": each.id, "Description": "", **each.copy()}
            for each in self._account.controls.items.values()
        ]
        made = page(summaries, parameters, key=lambda each: str(each["Id"]))
        return {"OriginAccessControlList": truncated(made, parameters)}

    def _name_is_free(self, name: str, but: str = "") -> None:
        for each in self._account.controls.items.values():
            if each.body["Name"] == name and each.id != but:
                raise AwsError(
                    "OriginAccessControlAlreadyExists",
                    "An origin access control with this name already exists.",
                )


def _checked(config: Parameters) -> Parameters:
    if (
        not 1 <= len(config.get("Name", "")) <= 64
        or config.get("SigningBehavior") not in _SIGNING
        or config.get("SigningProtocol") not in ("sigv4", "sigv4a")
        or config.get("OriginAccessControlOriginType") not in _TYPES
    ):
        raise AwsError("InvalidArgument", "The origin access control configuration is not valid.")
    return {"Description": "", **config}


def _shown(found: Entity) -> Result:
    return {
        "OriginAccessControl": {"Id": found.id, "OriginAccessControlConfig": found.copy()},
        "ETag": found.etag,
    }
