"""Operations on CloudFront Functions: a stage to develop in, a stage that is live."""

from __future__ import annotations

import re
from dataclasses import replace

from runner.local import quotas
from runner.local.cloudfront.account import Account, Function, Stage
from runner.local.cloudfront.entities import moment, page
from runner.local.cloudfront.pages import api, guide, rule
from runner.local.cloudfront.quantities import normalised
from runner.local.cloudfront.tags import checked
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

RULES = (
    *rule(
        api("CreateFunction"),
        "a function's name is used once: FunctionAlreadyExists; it has 1 to 64 letters, digits, "
        "hyphens and underscores",
    ),
    *rule(
        api("PublishFunction"),
        "publishing copies the stage DEVELOPMENT to LIVE; before it, LIVE does not exist: "
        "NoSuchFunctionExists",
    ),
    *rule(api("DeleteFunction"), "a function that a behaviour uses stays: FunctionInUse"),
    *rule(
        guide("kvs-with-functions-associate"),
        "a function has at most one key value store, which must exist, and then needs "
        "cloudfront-js-2.0",
    ),
)

_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_RUNTIMES = ("cloudfront-js-1.0", "cloudfront-js-2.0")


class Functions:
    """Create, update, publish, describe, get, list, delete."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateFunction": self.create,
            "UpdateFunction": self.update,
            "PublishFunction": self.publish,
            "DescribeFunction": self.describe,
            "GetFunction": self.get,
            "ListFunctions": self.list,
            "DeleteFunction": self.delete,
        }

    def create(self, parameters: Parameters, _call: Call) -> Result:
        name = parameters["Name"]
        if not _NAME.fullmatch(name):
            raise AwsError("InvalidArgument", "The function's name is not valid.")
        if name in self._account.functions.items:
            raise AwsError("FunctionAlreadyExists", "A function with the same name already exists.")
        if len(self._account.functions.items) >= quotas.FUNCTIONS.limit:
            raise AwsError("TooManyFunctions", "Too many functions in this account.")
        stage, tags = self._stage(parameters), checked(parameters.get("Tags"))
        arn = self._account.arn(f"function/{name}")
        function = Function(id=name, arn=arn, created=self._account.now(), development=stage)
        self._account.functions.put(function)
        self._account.tags[arn] = tags
        location = f"https://cloudfront.amazonaws.com/2020-05-31/function/{name}"
        shown = self._summary(function, stage, "DEVELOPMENT")
        return {"FunctionSummary": shown, "ETag": stage.etag, "Location": location}

    def update(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.functions.matched(parameters["Name"], parameters.get("IfMatch"))
        stage = self._stage(parameters)
        made = replace(found, development=stage, past=found.past | {found.etag})
        self._account.functions.put(made)
        shown = self._summary(made, stage, "DEVELOPMENT")
        return {"FunctionSummary": shown, "ETag": stage.etag}

    def publish(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.functions.matched(parameters["Name"], parameters.get("IfMatch"))
        live = replace(found.development, etag=self._account.etag(), modified=self._account.now())
        made = self._account.functions.put(replace(found, live=live))
        return {"FunctionSummary": self._summary(made, live, "LIVE")}

    def describe(self, parameters: Parameters, _call: Call) -> Result:
        function, stage, name = self._chosen(parameters)
        return {"FunctionSummary": self._summary(function, stage, name), "ETag": stage.etag}

    def get(self, parameters: Parameters, _call: Call) -> Result:
        _function, stage, _name = self._chosen(parameters)
        return {
            "FunctionCode": stage.code,
            "ETag": stage.etag,
            "ContentType": "application/octet-stream",
        }

    def list(self, parameters: Parameters, _call: Call) -> Result:
        wanted = parameters.get("Stage")
        listed = [
            self._summary(function, stage, name)
            for function in self._account.functions.items.values()
            for name, stage in (("DEVELOPMENT", function.development), ("LIVE", function.live))
            if stage and wanted in (None, name)
        ]
        marker = lambda each: f"{each['Name']}/{each['FunctionMetadata']['Stage']}"  # noqa: E731
        return {"FunctionList": page(listed, parameters, key=marker)}

    def delete(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.functions.matched(parameters["Name"], parameters.get("IfMatch"))
        if self._used(found):
            raise AwsError(
                "FunctionInUse",
                "Cannot delete the function because it's attached to one or more cache behaviors.",
            )
        self._account.functions.remove(found.id)
        self._account.tags.pop(found.arn, None)
        return {}

    def _chosen(self, parameters: Parameters) -> tuple[Function, Stage, str]:
        function = self._account.functions.get(parameters["Name"])
        name = parameters.get("Stage") or "DEVELOPMENT"
        stage = function.live if name == "LIVE" else function.development
        if stage is None:
            raise AwsError("NoSuchFunctionExists", "The specified function does not exist.")
        return function, stage, name

    def _stage(self, parameters: Parameters) -> Stage:
        code = bytes(parameters["FunctionCode"])
        if len(code) > quotas.FUNCTION_CODE.limit:
            raise AwsError(
                "FunctionSizeLimitExceeded",
                "The function is too large. The maximum size of a function is "
                f"{quotas.FUNCTION_CODE.limit} bytes.",
            )
        if not code or not _is_text(code):
            raise AwsError("InvalidArgument", "The function has no code, or code that is no text.")
        config = normalised(parameters["FunctionConfig"])
        self._check_config(config)
        return Stage(
            config=config, code=code, etag=self._account.etag(), modified=self._account.now()
        )

    def _check_config(self, config: Parameters) -> None:
        if config.get("Runtime") not in _RUNTIMES:
            raise AwsError("InvalidArgument", "The function's runtime is not valid.")
        stores = config.get("KeyValueStoreAssociations", {}).get("Items", [])
        if len(stores) > 1:
            raise AwsError("InvalidArgument", "A function has at most one key value store.")
        if stores and config["Runtime"] != "cloudfront-js-2.0":
            raise AwsError(
                "InvalidArgument", "Key value stores need the runtime cloudfront-js-2.0."
            )
        for association in stores:
            if self._account.store_by_arn(association["KeyValueStoreARN"]) is None:
                raise AwsError("InvalidArgument", "The key value store does not exist.")

    def _used(self, function: Function) -> bool:
        return any(
            association["FunctionARN"] == function.arn
            for config in self._account.configs()
            for behaviour in _behaviours(config)
            for association in behaviour["FunctionAssociations"].get("Items", [])
        )

    def _summary(self, function: Function, stage: Stage, name: str) -> Result:
        return {
            "Name": function.id,
            "Status": self._status(function, name),
            "FunctionConfig": dict(stage.config),
            "FunctionMetadata": {
                "FunctionARN": function.arn,
                "Stage": name,
                "CreatedTime": moment(function.created),
                "LastModifiedTime": moment(stage.modified),
            },
        }

    def _status(self, function: Function, name: str) -> str:
        if function.live is None or (
            name == "DEVELOPMENT" and function.development.code != function.live.code
        ):
            return "UNPUBLISHED"
        return "DEPLOYED" if self._used(function) else "UNASSOCIATED"


def _is_text(code: bytes) -> bool:
    try:
        return bool(code.decode())
    except UnicodeDecodeError:
        return False


def _behaviours(config: Parameters) -> list[Parameters]:
    return [config["DefaultCacheBehavior"], *config["CacheBehaviors"].get("Items", [])]
