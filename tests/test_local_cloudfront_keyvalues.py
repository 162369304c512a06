"""Key value stores: their contents through the API, and what edges see while it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runner.local.cloudfront import Propagation
from runner.local.wire import AwsError
from tests.cloudfront_site import World, behaviour, config, custom_origin

READER = """
import cf from 'cloudfront';
async function handler(event) {
  const seen = [];
  const keys = ['a', 'b', 'c'];
  for (let n = 0; n < keys.length; n++) {
    try { seen.push(await cf.kvs().get(keys[n])); } catch (error) { seen.push('missing'); }
  }
  return { statusCode: 200, headers: { seen: { value: seen.join(' ') } } };
}
"""


@pytest.fixture
def world() -> World:
    return World()


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(AwsError) as caught:
        act()
    assert caught.value.code == code


def put(world: World, arn: str, tag: str, *, puts: Any = (), deletes: Any = ()) -> Any:
    return world.values(
        "UpdateKeys", KvsARN=arn, IfMatch=tag,
        Puts=[{"Key": key, "Value": value} for key, value in puts],
        Deletes=[{"Key": key} for key in deletes],
    )  # fmt: skip


def tag_of(world: World, arn: str) -> str:
    return str(world.values("DescribeKeyValueStore", KvsARN=arn)["ETag"])


def test_a_store_is_provisioning_before_it_is_ready(world: World) -> None:
    made = world.call("CreateKeyValueStore", Name="state")["KeyValueStore"]
    assert made["Status"] == "PROVISIONING"
    refused("ConflictException",
            lambda: world.values("DescribeKeyValueStore", KvsARN=made["ARN"]))  # fmt: skip
    world.later(5)
    assert world.call("DescribeKeyValueStore", Name="state")["KeyValueStore"]["Status"] == "READY"


def test_the_two_descriptions_have_different_etags(world: World) -> None:
    arn = world.store()
    assert world.call("DescribeKeyValueStore", Name="state")["ETag"] != tag_of(world, arn)


def test_what_was_put_is_got_listed_and_deleted(world: World) -> None:
    arn = world.store()
    made = world.values("PutKey", KvsARN=arn, IfMatch=tag_of(world, arn), Key="a", Value="é")
    assert (made["ItemCount"], made["TotalSizeInBytes"]) == (1, 3)
    assert world.values("GetKey", KvsARN=arn, Key="a")["Value"] == "é"
    world.values("DeleteKey", KvsARN=arn, IfMatch=made["ETag"], Key="a")
    refused("ResourceNotFoundException", lambda: world.values("GetKey", KvsARN=arn, Key="a"))


def test_the_etag_is_the_stores_and_a_stale_one_is_a_conflict(world: World) -> None:
    arn = world.store()
    tag = tag_of(world, arn)
    put(world, arn, tag, puts=[("a", "1")])
    refused("ConflictException", lambda: put(world, arn, tag, puts=[("b", "1")]))


def test_an_update_does_everything_or_nothing(world: World) -> None:
    arn = world.store()
    tag = tag_of(world, arn)
    refused("ResourceNotFoundException",
            lambda: put(world, arn, tag, puts=[("a", "1")], deletes=["none"]))  # fmt: skip
    assert tag_of(world, arn) == tag
    assert world.values("ListKeys", KvsARN=arn)["Items"] == []


def test_keys_come_in_pages_of_at_most_fifty(world: World) -> None:
    arn = world.store()
    for start in (0, 50):
        pairs = [(f"k{number:03}", "v") for number in range(start, start + 50)]
        put(world, arn, tag_of(world, arn), puts=pairs)
    assert len(world.values("ListKeys", KvsARN=arn)["Items"]) == 10
    first = world.values("ListKeys", KvsARN=arn, MaxResults=50)
    rest = world.values("ListKeys", KvsARN=arn, MaxResults=50, NextToken=first["NextToken"])
    names = [each["Key"] for each in first["Items"] + rest["Items"]]
    assert names == [f"k{number:03}" for number in range(100)]
    assert "NextToken" not in rest
    refused("ValidationException", lambda: world.values("ListKeys", KvsARN=arn, MaxResults=51))


LIMITS: list[tuple[str, dict[str, Any]]] = [
    ("a key of 513 bytes", {"puts": [("k" * 513, "v")]}),
    ("a value of 1,025 bytes", {"puts": [("k", "v" * 1025)]}),
    ("a value of 1,024 characters that are more bytes", {"puts": [("k", "é" * 513)]}),
    ("51 keys", {"puts": [(f"k{n}", "v") for n in range(51)]}),
    ("a key twice", {"puts": [("k", "v")], "deletes": ["k"]}),
    ("nothing", {}),
]


@pytest.mark.parametrize("asked", [a for _, a in LIMITS], ids=[what for what, _ in LIMITS])
def test_an_update_is_refused_for(world: World, asked: dict[str, Any]) -> None:
    arn = world.store()
    refused("ValidationException", lambda: put(world, arn, tag_of(world, arn), **asked))


def test_a_key_of_512_bytes_and_a_value_of_1_kb_go_in(world: World) -> None:
    arn = world.store()
    put(world, arn, tag_of(world, arn), puts=[("k" * 512, "v" * 1024)])


def test_a_store_holds_5_mb(world: World) -> None:
    arn = world.store()

    def fill() -> None:
        for start in range(110):
            pairs = [(f"{start:03}-{number:02}", "v" * 1024) for number in range(50)]
            put(world, arn, tag_of(world, arn), puts=pairs)

    refused("ServiceQuotaExceededException", fill)
    size = world.values("DescribeKeyValueStore", KvsARN=arn)["TotalSizeInBytes"]
    assert 5_000_000 < size <= 5 * 1024 * 1024


def test_an_unknown_store_is_not_found(world: World) -> None:
    refused("ResourceNotFoundException",
            lambda: world.values("DescribeKeyValueStore", KvsARN="arn:none"))  # fmt: skip


class TestWhatEdgesSee:
    @pytest.fixture
    def site(self, world: World) -> tuple[str, str]:
        """The store's ARN and the host whose function shows it."""
        arn = world.store()
        world.put(arn, a="1", b="1")
        world.later(60)
        function = world.function(READER, store=arn)
        made = world.distribute(
            **config(custom_origin(), default=behaviour("site", request=function))
        )
        return arn, made["DomainName"]

    def seen(self, world: World, host: str, times: int = 40) -> set[str]:
        return {world.get(host).header("seen") for _ in range(times)}

    def test_a_change_is_seen_at_once_unless_told_otherwise(
        self, world: World, site: tuple[str, str]
    ) -> None:
        arn, host = site
        world.put(arn, a="2", c="2")
        assert self.seen(world, host) == {"2 1 2"}

    def test_a_change_is_late(self, world: World, site: tuple[str, str]) -> None:
        arn, host = site
        world.cloudfront.configure({"propagation": {"seconds": 30}})
        world.put(arn, a="2", c="2")
        assert self.seen(world, host) == {"1 1 missing"}
        world.later(31)
        assert self.seen(world, host) == {"2 1 2"}

    def test_a_changing_key_is_old_missing_and_new_in_turns_and_another_key_is_not(
        self, world: World, site: tuple[str, str]
    ) -> None:
        arn, host = site
        world.cloudfront.settings.propagation = Propagation(seconds=30, missing=0.3, old=0.3)
        world.put(arn, a="2")
        assert self.seen(world, host, 80) == {"1 1 missing", "missing 1 missing", "2 1 missing"}
        world.later(31)
        assert self.seen(world, host) == {"2 1 missing"}

    def test_a_deleted_key_lives_on_for_a_while(self, world: World, site: tuple[str, str]) -> None:
        arn, host = site
        world.cloudfront.settings.propagation = Propagation(seconds=30, old=0.5)
        world.values("DeleteKey", KvsARN=arn, IfMatch=tag_of(world, arn), Key="b")
        assert self.seen(world, host) == {"1 1 missing", "1 missing missing"}

    def test_two_keys_written_together_arrive_in_any_order(
        self, world: World, site: tuple[str, str]
    ) -> None:
        arn, host = site
        world.cloudfront.settings.propagation = Propagation(seconds=30, old=0.5)
        world.put(arn, a="2", b="2")
        assert {"2 1 missing", "1 2 missing"} <= self.seen(world, host, 80)

    def test_the_same_seed_gives_the_same_sequence(
        self, world: World, site: tuple[str, str]
    ) -> None:
        arn, host = site
        runs = []
        for number, seed in enumerate((1, 2, 1)):
            world.cloudfront.settings.propagation = Propagation(seconds=30, old=0.5, seed=seed)
            world.put(arn, a=f"new{number}")
            shown = [world.get(host).header("seen") for _ in range(20)]
            runs.append([line.startswith(f"new{number}") for line in shown])
            world.later(60)
        assert set(runs[0]) == {True, False}
        assert runs[0] == runs[2] != runs[1]

    def test_an_unknown_setting_is_refused(self, world: World) -> None:
        with pytest.raises(ValueError, match="no such setting"):
            world.cloudfront.configure({"propagate": {}})
        with pytest.raises(ValueError, match="propagation has"):
            world.cloudfront.configure({"propagation": {"second": 1}})
