"""Operations on key value stores as resources (service `cloudfront`); not on their contents."""

from __future__ import annotations

import re
from dataclasses import replace

from runner.local.cloudfront.account import Account
from runner.local.cloudfront.entities import moment, page
from runner.local.cloudfront.pages import api, guide, rule
from runner.local.cloudfront.tags import checked
from runner.local.cloudfront.values import Store
from runner.local.wire import AwsError, Call, Operation, Parameters, Result

RULES = (
    *rule(
        api("CreateKeyValueStore"),
        "a store's name is used once: EntityAlreadyExists; it is PROVISIONING before it is READY",
    ),
    *rule(guide("cloudfront-limits"), "at most 50 key value stores: EntityLimitExceeded"),
    *rule(
        api("DeleteKeyValueStore"),
        "a store that a function uses stays: CannotDeleteEntityWhileInUse",
    ),
)

_MOST = 50  # of an account; newer versions of the page say 200
_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")


class Stores:
    """Create, describe, update, delete, list."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateKeyValueStore": self.create,
            "DescribeKeyValueStore": self.describe,
            "UpdateKeyValueStore": self.update,
            "DeleteKeyValueStore": self.delete,
            "ListKeyValueStores": self.list,
        }

    def create(self, parameters: Parameters, _call: Call) -> Result:
        name = parameters["Name"]
        if not _NAME.fullmatch(name):
            raise AwsError("InvalidArgument", "The store's name is not valid.")
        if name in self._account.stores.items:
            raise AwsError(
                "EntityAlreadyExists", "A key value store with this name already exists."
            )
        if parameters.get("ImportSource"):
            raise AwsError(
                "NotImplemented", "The embedded cloud imports no key value stores.", status=501
            )
        if len(self._account.stores.items) >= _MOST:
            raise AwsError("EntityLimitExceeded", "Too many key value stores in this account.")
        tags = checked(parameters.get("Tags"))
        made = self._account.stores.put(self._new(name, parameters.get("Comment") or ""))
        self._account.tags[made.arn] = tags
        location = f"https://cloudfront.amazonaws.com/2020-05-31/key-value-store/{name}"
        return {**self._shown(made), "Location": location}

    def _new(self, name: str, comment: str) -> Store:
        account, now, identity = self._account, self._account.now(), self._account.ids.uuid()
        return Store(
            id=name, uuid=identity, arn=account.arn(f"key-value-store/{identity}"),
            comment=comment, etag=account.etag(), created=now, modified=now,
            ready_at=now + account.settings.provisioning,
            values_etag="KV" + account.ids.upper(12), values_modified=now,
        )  # fmt: skip

    def describe(self, parameters: Parameters, _call: Call) -> Result:
        return self._shown(self._account.stores.get(parameters["Name"]))

    def update(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.stores.matched(parameters["Name"], parameters.get("IfMatch"))
        made = replace(
            found, comment=parameters["Comment"], modified=self._account.now(),
            etag=self._account.etag(), past=found.past | {found.etag},
        )  # fmt: skip
        return self._shown(self._account.stores.put(made))

    def delete(self, parameters: Parameters, _call: Call) -> Result:
        found = self._account.stores.matched(parameters["Name"], parameters.get("IfMatch"))
        for function in self._account.functions.items.values():
            stages = (function.development, function.live)
            if any(stage and stage.store == found.arn for stage in stages):
                raise AwsError(
                    "CannotDeleteEntityWhileInUse",
                    "The key value store cannot be deleted while it is in use.",
                )
        self._account.stores.remove(found.id)
        self._account.tags.pop(found.arn, None)
        return {}

    def list(self, parameters: Parameters, _call: Call) -> Result:
        wanted = parameters.get("Status")
        listed = [
            self._shown(each)["KeyValueStore"] for each in self._account.stores.items.values()
        ]
        kept = [each for each in listed if wanted in (None, each["Status"])]
        return {"KeyValueStoreList": page(kept, parameters, key=lambda each: str(each["Name"]))}

    def _shown(self, store: Store) -> Result:
        ready = self._account.now() >= store.ready_at
        return {
            "KeyValueStore": {
                "Name": store.id,
                "Id": store.uuid,
                "Comment": store.comment,
                "ARN": store.arn,
                "Status": "READY" if ready else "PROVISIONING",
                "LastModifiedTime": moment(store.modified),
            },
            "ETag": store.etag,
        }
