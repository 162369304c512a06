"""An empty S3 on loopback, rclone's own in memory, at a distance that is asked for."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from bench.servers import ROOT, free_port

BUCKET = "site"
KEYS = ("bench-key", "bench-secret")
REGION = "us-east-1"
PATIENCE = 15.0  # seconds


def client(endpoint: str, *, connections: int = 1) -> Any:
    config = Config(
        max_pool_connections=connections,
        retries={"mode": "standard", "total_max_attempts": 5},
        s3={"addressing_style": "path"},
    )
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name=REGION, config=config,
        aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1],
    )  # fmt: skip


@contextlib.contextmanager
def storage(rclone: Path, *, delay: float) -> Iterator[str]:
    """The endpoint; `delay` seconds are added to each round trip by a process in between."""
    port = free_port()
    command = [str(rclone), "serve", "s3", "--addr", f"127.0.0.1:{port}",
               "--auth-key", ",".join(KEYS), ":memory:"]  # fmt: skip
    with ended(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)):
        _until_open(port)
        client(f"http://127.0.0.1:{port}").create_bucket(Bucket=BUCKET)
        if not delay:
            yield f"http://127.0.0.1:{port}"
            return
        between = subprocess.Popen(
            [sys.executable, "-m", "bench.proxy", str(port), str(delay)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with ended(between):
            assert between.stdout
            yield f"http://127.0.0.1:{between.stdout.readline().strip()}"


def count(endpoint: str) -> int:
    """How many objects there are."""
    pages = client(endpoint).get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return sum(len(page.get("Contents", [])) for page in pages)


@contextlib.contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _until_open(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            opened = socket.create_connection(("127.0.0.1", port), timeout=1)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return opened.close()
