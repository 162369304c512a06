"""The service `cloudfront-keyvaluestore`: the contents of key value stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from runner.local import quotas
from runner.local.cloudfront.account import Account
from runner.local.cloudfront.entities import moment
from runner.local.cloudfront.pages import store_api
from runner.local.cloudfront.values import Change, Store
from runner.local.wire import AwsError, Call, Operation, Parameters, Result, Rule

SERVICE = "cloudfront-keyvaluestore"


def _rule(page: str, sentence: str) -> Rule:
    return Rule(service=SERVICE, rule=sentence, page=store_api(page))


RULES = (
    _rule(
        "UpdateKeys", "If-Match is the ETag of the whole store: a stale one is ConflictException"
    ),
    _rule("UpdateKeys", "UpdateKeys does everything or nothing"),
    _rule("ListKeys", "pages of at most 50 keys, 10 unless told"),
    _rule("GetKey", "a missing key or store is ResourceNotFoundException"),
    _rule("DescribeKeyValueStore", "its ETag is not the one of CloudFront's own operation"),
)

_PAGE = 10
_LARGEST_PAGE = 50


class KeyValues:
    """Describe, list, get, put, delete, update."""

    name = SERVICE

    def __init__(self, account: Account) -> None:
        self._account = account

    def operations(self) -> dict[str, Operation]:
        return {
            "DescribeKeyValueStore": self.describe,
            "ListKeys": self.list,
            "GetKey": self.get,
            "PutKey": self.put,
            "DeleteKey": self.delete,
            "UpdateKeys": self.update,
        }

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        """The account forgets; nothing is kept here."""

    def describe(self, parameters: Parameters, _call: Call) -> Result:
        store = self._store(parameters)
        return {
            **_totals(store),
            "KvsARN": store.arn,
            "Created": moment(store.created),
            "LastModified": moment(store.values_modified),
            "ETag": store.values_etag,
            "Status": "READY",
        }

    def list(self, parameters: Parameters, _call: Call) -> Result:
        store = self._store(parameters)
        size = int(parameters.get("MaxResults") or _PAGE)
        if not 1 <= size <= _LARGEST_PAGE:
            raise AwsError("ValidationException", "MaxResults must be between 1 and 50.")
        after = parameters.get("NextToken") or ""
        names = [name for name in sorted(store.values) if name > after]
        shown = [{"Key": name, "Value": store.values[name]} for name in names[:size]]
        more = {"NextToken": names[size - 1]} if len(names) > size else {}
        return {"Items": shown, **more}

    def get(self, parameters: Parameters, _call: Call) -> Result:
        store = self._store(parameters)
        key = parameters["Key"]
        _require_present(store, key)
        return {"Key": key, "Value": store.values[key], **_totals(store)}

    def put(self, parameters: Parameters, _call: Call) -> Result:
        return self._write(parameters, puts={parameters["Key"]: parameters["Value"]})

    def delete(self, parameters: Parameters, _call: Call) -> Result:
        return self._write(parameters, deletes=frozenset({parameters["Key"]}))

    def update(self, parameters: Parameters, _call: Call) -> Result:
        puts = [(each["Key"], each["Value"]) for each in parameters.get("Puts") or []]
        deletes = [each["Key"] for each in parameters.get("Deletes") or []]
        _check_request(puts, deletes)
        return self._write(parameters, puts=dict(puts), deletes=frozenset(deletes))

    def _store(self, parameters: Parameters) -> Store:
        found = self._account.store_by_arn(parameters["KvsARN"])
        if found is None:
            raise AwsError("ResourceNotFoundException", "The key value store was not found.")
        if self._account.now() < found.ready_at:
            raise AwsError("ConflictException", "The key value store is not ready.")
        return found

    def _write(
        self,
        parameters: Parameters,
        *,
        puts: Mapping[str, str] = MappingProxyType({}),
        deletes: frozenset[str] = frozenset(),
    ) -> Result:
        store = self._store(parameters)
        if parameters.get("IfMatch") != store.values_etag:
            raise AwsError(
                "ConflictException", "The specified ETag does not match the store's current one."
            )
        for key in deletes:
            _require_present(store, key)
        for key, value in puts.items():
            _check_pair(key, value)
        made = self._changed(store, puts, deletes)
        if made.size > quotas.STORE_SIZE.limit:
            raise AwsError(
                "ServiceQuotaExceededException", "The key value store would be too large."
            )
        self._account.stores.put(made)
        return {**_totals(made), "ETag": made.values_etag}

    def _changed(self, store: Store, puts: Mapping[str, str], deletes: frozenset[str]) -> Store:
        now = self._account.now()
        values = {k: v for k, v in store.values.items() if k not in deletes} | dict(puts)
        touched = {
            key: Change(at=now, before=store.values.get(key))
            for key in (*puts, *deletes)
            if values.get(key) != store.values.get(key)
        }
        return replace(
            store,
            values=MappingProxyType(values),
            values_etag="KV" + self._account.ids.upper(12),
            values_modified=now,
            changes={**store.changes, **touched},
        )


def _require_present(store: Store, key: str) -> None:
    if key not in store.values:
        raise AwsError("ResourceNotFoundException", f"Key {key} was not found.")


def _check_pair(key: str, value: str) -> None:
    if not 1 <= len(key.encode()) <= quotas.STORE_KEY.limit:
        raise AwsError("ValidationException", "A key has 1 to 512 bytes.")
    if len(value.encode()) > quotas.STORE_VALUE.limit:
        raise AwsError("ValidationException", "A value has at most 1024 bytes.")


def _check_request(puts: list[tuple[str, str]], deletes: list[str]) -> None:
    names = [key for key, _value in puts] + deletes
    if not names:
        raise AwsError("ValidationException", "The request changes no key.")
    if len(set(names)) != len(names):
        raise AwsError("ValidationException", "The request names a key twice.")
    if len(names) > quotas.STORE_UPDATE_KEYS.limit:
        raise AwsError("ValidationException", "The request changes more than 50 keys.")
    size = sum(len(k.encode()) + len(v.encode()) for k, v in puts)
    if size > quotas.STORE_UPDATE_SIZE.limit:
        raise AwsError("ValidationException", "The request is larger than 3 MB.")


def _totals(store: Store) -> Result:
    return {"ItemCount": len(store.values), "TotalSizeInBytes": store.size}
