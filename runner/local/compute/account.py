"""Operations on concurrency, tags and the account's limits.

Source: Lambda developer guide, "Configuring reserved concurrency for a function", "Lambda quotas".
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.local.compute.desk import Desk
from runner.local.compute.reference import absent, function_of, invalid, parse
from runner.local.compute.store import Function
from runner.local.quotas import ZIP_CONTENT, ZIP_UPLOAD
from runner.local.wire import Call, Operation, Parameters, Result

CONCURRENCY = 1000  # an account's and region's, unless it was raised
_NEVER_RESERVED = 100
_CODE_STORAGE = 80_530_636_800  # 75 GB, every version counted
_TAGS = 50


class Account:
    """Operations by name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutFunctionConcurrency": self.reserve,
            "GetFunctionConcurrency": self.reserved,
            "DeleteFunctionConcurrency": self.release,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTags": self.tags,
            "GetAccountSettings": self.settings,
        }

    def reserve(self, parameters: Parameters, call: Call) -> Result:
        function, _ = self._desk.find(parameters, call)
        wanted = int(parameters["ReservedConcurrentExecutions"])
        left = self._unreserved(call.region) + (function.reserved or 0) - wanted
        if left < _NEVER_RESERVED:
            raise invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{_NEVER_RESERVED}]."
            )
        function.reserved = wanted
        return {"ReservedConcurrentExecutions": wanted}

    def reserved(self, parameters: Parameters, call: Call) -> Result:
        function, _ = self._desk.find(parameters, call)
        held = function.reserved
        return {} if held is None else {"ReservedConcurrentExecutions": held}

    def release(self, parameters: Parameters, call: Call) -> Result:
        function, _ = self._desk.find(parameters, call)
        function.reserved = None
        return {}

    def tag(self, parameters: Parameters, call: Call) -> Result:
        function = self._by_arn(parameters, call)
        merged = {**function.tags, **parameters["Tags"]}
        if len(merged) > _TAGS:
            raise invalid(f"A function has at most {_TAGS} tags.")
        function.tags = merged
        return {}

    def untag(self, parameters: Parameters, call: Call) -> Result:
        function = self._by_arn(parameters, call)
        for key in parameters["TagKeys"]:
            function.tags.pop(key, None)
        return {}

    def tags(self, parameters: Parameters, call: Call) -> Result:
        return {"Tags": dict(self._by_arn(parameters, call).tags)}

    def settings(self, _parameters: Parameters, call: Call) -> Result:
        functions = list(self._desk.store.of(call.region))
        sizes = [
            version.code.size
            for each in functions
            for version in (each.latest, *each.published.values())
        ]
        return {
            "AccountLimit": {
                "TotalCodeSize": _CODE_STORAGE,
                "CodeSizeUnzipped": ZIP_CONTENT.limit,
                "CodeSizeZipped": ZIP_UPLOAD.limit,
                "ConcurrentExecutions": CONCURRENCY,
                "UnreservedConcurrentExecutions": self._unreserved(call.region),
            },
            "AccountUsage": {"TotalCodeSize": sum(sizes), "FunctionCount": len(functions)},
        }

    def _by_arn(self, parameters: Parameters, call: Call) -> Function:
        wanted = parse(parameters["Resource"], region=call.region)
        if wanted.qualifier:
            raise invalid("Tags on function aliases and versions are not supported.")
        if not parameters["Resource"].startswith("arn:"):
            raise absent(f"{parameters['Resource']} is no ARN.")
        return function_of(self._desk.store, wanted, account=self._desk.account)

    def _unreserved(self, region: str) -> int:
        functions = self._desk.store.of(region)
        return CONCURRENCY - sum(function.reserved or 0 for function in functions)
