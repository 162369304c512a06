"""Requests that go through the CRT: they leave nothing behind in a process that lives on."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from runner.aws.files import told_of
from runner.aws.objects import Objects
from runner.aws.upload import HELD, put
from runner.local.cloud import Cloud
from runner.local.faults import Fault
from tests.compute_site import eventually
from tests.labs.crash import Account, Wire

TEXTS = {"small": b"{}", "large": b"[" + b"1," * (HELD // 2) + b"1]"}


def test_an_account_that_nobody_has_any_more_is_forgotten_with_its_uploads() -> None:
    with Cloud() as cloud:
        account = Account(Wire(), cloud, clock=cloud.clock.now, sleep=lambda _seconds: None)
        region = {"LocationConstraint": account.region}
        account.s3.create_bucket(Bucket="a-bucket", CreateBucketConfiguration=region)
        wire = Objects(account, "a-bucket")
        wire.put("key", b"bytes", {}).result()
        assert account.s3.head_object(Bucket="a-bucket", Key="key")["ContentLength"] == 5
        held = weakref.ref(account)
        del wire, account

        def is_forgotten() -> bool:
            gc.collect()
            return held() is None

        eventually(is_forgotten, seconds=60)  # the CRT ends its connections in threads of its own


def test_files_arrive_whole_and_so_do_empty_ones_and_those_that_are_sent_again(
    tmp_path: Path,
) -> None:
    with Cloud() as cloud:
        account = Account(Wire(), cloud, clock=cloud.clock.now, sleep=lambda _seconds: None)
        region = {"LocationConstraint": account.region}
        account.s3.create_bucket(Bucket="a-bucket", CreateBucketConfiguration=region)
        wire = Objects(account, "a-bucket")
        contents = {"empty": b"", "short": b"bytes", "long": bytes(range(256)) * 4_000}
        cloud.faults.add(Fault(kind="reset", service="s3", operation="PutObject", times=2))
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
        for each in [wire.put(name, tmp_path / name, {}) for name in contents]:
            each.result()
        assert cloud.faults.listed() == []
        for name, content in contents.items():
            stored = account.s3.get_object(Bucket="a-bucket", Key=name)["Body"].read()
            assert stored == content, name


def test_a_manifest_of_a_large_site_arrives_as_a_small_one_does() -> None:
    with Cloud() as cloud:
        account = Account(Wire(), cloud, clock=cloud.clock.now, sleep=lambda _seconds: None)
        region = {"LocationConstraint": account.region}
        account.s3.create_bucket(Bucket="a-bucket", CreateBucketConfiguration=region)
        told = {name: told_of("r1", text, key=name) for name, text in TEXTS.items()}
        moved: list[int] = []
        for _ in range(2):  # the second finds equal bytes, and takes them for its own
            put(account, "a-bucket", told.values(), moved=lambda _files, size: moved.append(size))
        assert sorted(moved) == sorted([len(text) for text in TEXTS.values()] * 2)
        for name, text in TEXTS.items():
            found = account.s3.get_object(Bucket="a-bucket", Key=name)
            assert found["Body"].read() == text
            assert found["ContentType"] == "application/json"
            assert found["Metadata"] == {"jam-release": "r1"}
            assert "CacheControl" not in found
