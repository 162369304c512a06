"""Operations on cache policies and origin request policies, AWS's managed ones included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.local.cloudfront.account import Account
from runner.local.cloudfront.entities import Entity, Shelf, moment, page
from runner.local.cloudfront.managed import CACHE_POLICIES, REQUEST_POLICIES
from runner.local.cloudfront.pages import api, guide, rule
from runner.local.cloudfront.quantities import normalised
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

RULES = (
    *rule(
        api("CreateCachePolicy"),
        "the name of a policy is used once: CachePolicyAlreadyExists, "
        "OriginRequestPolicyAlreadyExists",
        "a managed policy cannot be changed or deleted: IllegalUpdate, IllegalDelete",
    ),
    *rule(api("DeleteCachePolicy"), "a policy that a behaviour uses stays: CachePolicyInUse"),
    *rule(
        guide("cloudfront-limits"),
        "at most 20 cache policies and 20 origin request policies of one's own",
        "at most 10 headers, 10 cookies and 10 query strings a policy",
    ),
    *rule(
        guide("add-origin-custom-headers"),
        "Authorization and Accept-Encoding cannot be named in an origin request policy",
    ),
    *rule(
        guide("cache-key-understand-cache-policy"),
        "MinTTL <= DefaultTTL <= MaxTTL; a policy that caches nothing (MaxTTL 0) has no headers, "
        "cookies, query strings or encodings",
    ),
)

_OWN = 20
_NAMES = 10
_DAY = 86400
_YEAR = 31536000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """How the two kinds of policy differ in the API."""

    noun: str  # "CachePolicy", "OriginRequestPolicy"
    kind: str
    many: str
    key: str  # in a behaviour
    check: Callable[[Parameters], Parameters]

    @property
    def config(self) -> str:
        return f"{self.noun}Config"


class Policies:
    """The operations of one kind of policy."""

    def __init__(self, account: Account, *, words: _Words, shelf: Callable[[], Shelf[Entity]],
                 managed: dict[str, Parameters]) -> None:  # fmt: skip
        self._account = account
        self._words = words
        self._shelf = shelf
        self._managed = managed

    def operations(self) -> dict[str, Operation]:
        noun = self._words.noun
        return {
            f"Create{noun}": self.create,
            f"Get{noun}": self.get,
            f"Get{noun}Config": self.get_config,
            f"Update{noun}": self.update,
            f"Delete{noun}": self.delete,
            f"List{noun.removesuffix('y')}ies": self.list,
        }

    def create(self, parameters: Parameters, _call: Call) -> Result:
        config = self._words.check(parameters[self._words.config])
        self._name_is_free(config["Name"])
        if len(self._shelf().items) >= _OWN:
            raise AwsError(f"TooMany{self._words.many}", "Too many policies in this account.")
        made = self._account.entity(
            identity=self._account.ids.uuid(), kind=self._words.kind, body=config
        )
        self._shelf().put(made)
        location = f"https://cloudfront.amazonaws.com/2020-05-31/{self._words.kind}/{made.id}"
        return {**self._shown(made), "Location": location}

    def find(self, identity: str) -> Entity:
        managed = self._managed.get(identity)
        if managed is None:
            return self._shelf().get(identity)
        return Entity(
            id=identity, arn=self._account.arn(f"{self._words.kind}/{identity}"), body=managed,
            etag="E23ZP02F085DFQ", created=0, modified=0,
        )  # fmt: skip

    def get(self, parameters: Parameters, _call: Call) -> Result:
        return self._shown(self.find(parameters["Id"]))

    def get_config(self, parameters: Parameters, _call: Call) -> Result:
        found = self.find(parameters["Id"])
        return {self._words.config: found.copy(), "ETag": found.etag}

    def update(self, parameters: Parameters, _call: Call) -> Result:
        if parameters["Id"] in self._managed:
            raise AwsError("IllegalUpdate", "You cannot update a managed policy.")
        found = self._shelf().matched(parameters["Id"], parameters.get("IfMatch"))
        config = self._words.check(parameters[self._words.config])
        if config["Name"] != found.body["Name"]:
            self._name_is_free(config["Name"])
        made = found.rewritten(config, etag=self._account.etag(), now=self._account.now())
        return self._shown(self._shelf().put(made))

    def delete(self, parameters: Parameters, _call: Call) -> Result:
        if parameters["Id"] in self._managed:
            raise AwsError("IllegalDelete", "You cannot delete a managed policy.")
        found = self._shelf().matched(parameters["Id"], parameters.get("IfMatch"))
        if any(self._uses(config, found.id) for config in self._account.configs()):
            raise AwsError(
                f"{self._words.noun}InUse",
                "Cannot delete the policy because it is attached to one or more cache behaviors.",
            )
        self._shelf().remove(found.id)
        return {}

    def list(self, parameters: Parameters, _call: Call) -> Result:
        wanted = parameters.get("Type")
        listed = [
            {"Type": kind, self._words.noun: self._shown(found)[self._words.noun]}
            for kind, found in (
                *(("managed", self.find(identity)) for identity in self._managed),
                *(("custom", each) for each in self._shelf().items.values()),
            )
            if wanted in (None, kind)
        ]
        made = page(listed, parameters, key=lambda each: str(each[self._words.noun]["Id"]))
        return {f"{self._words.noun}List": made}

    def _uses(self, config: Parameters, identity: str) -> bool:
        behaviours = [config["DefaultCacheBehavior"], *config["CacheBehaviors"].get("Items", [])]
        return any(behaviour.get(self._words.key) == identity for behaviour in behaviours)

    def _name_is_free(self, name: str) -> None:
        taken = {each.body["Name"] for each in self._shelf().items.values()}
        taken |= {each["Name"] for each in self._managed.values()}
        if name in taken:
            raise AwsError(
                f"{self._words.noun}AlreadyExists", "A policy with this name already exists."
            )

    def _shown(self, found: Entity) -> Result:
        return {
            self._words.noun: {
                "Id": found.id,
                "LastModifiedTime": moment(found.modified),
                self._words.config: found.copy(),
            },
            "ETag": found.etag,
        }


def cache_policies(account: Account) -> Policies:
    words = _Words(noun="CachePolicy", kind="cache-policy", many="CachePolicies",
                   key="CachePolicyId", check=_cache_config)  # fmt: skip
    return Policies(
        account, words=words, shelf=lambda: account.cache_policies, managed=CACHE_POLICIES
    )


def request_policies(account: Account) -> Policies:
    words = _Words(noun="OriginRequestPolicy", kind="origin-request-policy",
                   many="OriginRequestPolicies", key="OriginRequestPolicyId",
                   check=_request_config)  # fmt: skip
    return Policies(
        account, words=words, shelf=lambda: account.request_policies, managed=REQUEST_POLICIES
    )


def _cache_config(given: Parameters) -> Parameters:
    config: Parameters = normalised(given)
    minimum = int(config.get("MinTTL", 0))
    default = int(config.get("DefaultTTL", max(_DAY, minimum)))
    maximum = int(config.get("MaxTTL", max(_YEAR, default)))
    if not 0 <= minimum <= default <= maximum:
        raise AwsError(
            "InvalidArgument", "The TTLs must rise from MinTTL over DefaultTTL to MaxTTL."
        )
    key = config.setdefault("ParametersInCacheKeyAndForwardedToOrigin", {})
    key.setdefault("EnableAcceptEncodingGzip", False)
    key.setdefault("EnableAcceptEncodingBrotli", False)
    key.setdefault("HeadersConfig", {"HeaderBehavior": "none"})
    key.setdefault("CookiesConfig", {"CookieBehavior": "none"})
    key.setdefault("QueryStringsConfig", {"QueryStringBehavior": "none"})
    _few_names(key, noun="CachePolicy")
    if maximum == 0 and _varies(key):
        raise AwsError(
            "InvalidArgument",
            "The parameter HeaderBehavior is invalid for policy with caching disabled.",
        )
    return {**config, "MinTTL": minimum, "DefaultTTL": default, "MaxTTL": maximum}


def _varies(key: Parameters) -> bool:
    return bool(
        key["EnableAcceptEncodingGzip"]
        or key["EnableAcceptEncodingBrotli"]
        or key["HeadersConfig"]["HeaderBehavior"] != "none"
        or key["CookiesConfig"]["CookieBehavior"] != "none"
        or key["QueryStringsConfig"]["QueryStringBehavior"] != "none"
    )


def _request_config(given: Parameters) -> Parameters:
    config: Parameters = normalised(given)
    _few_names(config, noun="OriginRequestPolicy")
    headers = config["HeadersConfig"]
    named = {name.lower() for name in headers.get("Headers", {}).get("Items", [])}
    if headers["HeaderBehavior"] == "whitelist" and named & {"authorization", "accept-encoding"}:
        raise AwsError(
            "InvalidArgument",
            "The parameter Headers contains Authorization or Accept-Encoding that is not allowed.",
        )
    return config


def _few_names(config: Parameters, *, noun: str) -> None:
    for part, member, plural in (
        ("HeadersConfig", "Headers", "Headers"),
        ("CookiesConfig", "Cookies", "Cookies"),
        ("QueryStringsConfig", "QueryStrings", "QueryStrings"),
    ):
        if part not in config:
            raise AwsError("InvalidArgument", f"The parameter {part} is required.")
        if len(config[part].get(member, {}).get("Items", [])) > _NAMES:
            raise AwsError(f"TooMany{plural}In{noun}", f"At most {_NAMES} {plural}.")
