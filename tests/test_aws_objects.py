"""Requests that go through the CRT: they leave nothing behind in a process that lives on."""

from __future__ import annotations

import gc
import weakref

from runner.aws.objects import Objects
from runner.local.cloud import Cloud
from tests.compute_site import eventually
from tests.labs.crash import Account, Wire


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
