"""Puts a folder into the bucket, one way: `python -m bench.put_python WAY ENDPOINT FOLDER`.

`jam-deploy` is what a deploy does, with the digests that it takes from packaging as part of the
time; the others are boto3 and s3transfer with the same headers and checksums.
"""

from __future__ import annotations

import base64
import hashlib
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.storage import BUCKET, KEYS, REGION, client

HEADERS = {
    "ContentType": "text/html; charset=utf-8",
    "CacheControl": "public, max-age=0",
    "Metadata": {"jam-release": "0" * 32},
}
THREADS = 64


def ours(endpoint: str, files: list[Path]) -> None:
    import boto3

    from runner.aws.files import Upload
    from runner.aws.session import Aws
    from runner.aws.upload import put

    session = boto3.Session(
        aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1], region_name=REGION
    )
    aws = Aws(session, endpoint, clock=time.time, sleep=time.sleep, chance=random.random)
    uploads = (
        Upload(
            key=path.name,
            source=path,
            size=path.stat().st_size,
            digest=hashlib.sha256(path.read_bytes()).hexdigest(),
            content_type=str(HEADERS["ContentType"]),
            cache_control=str(HEADERS["CacheControl"]),
            metadata={"jam-release": "0" * 32},
        )
        for path in files
    )
    put(aws, BUCKET, uploads, moved=lambda files, size: None)


def boto3_threads(endpoint: str, files: list[Path]) -> None:
    s3 = client(endpoint, connections=THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda path: _put(s3, path), files))


def _put(s3: Any, path: Path) -> None:
    body = path.read_bytes()
    checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
    s3.put_object(
        Bucket=BUCKET, Key=path.name, Body=body, ChecksumSHA256=checksum, IfNoneMatch="*", **HEADERS
    )


def crt(endpoint: str, files: list[Path]) -> None:
    import botocore.session
    from botocore.config import Config
    from s3transfer.crt import (
        BotocoreCRTCredentialsWrapper,
        BotocoreCRTRequestSerializer,
        CRTTransferManager,
        create_s3_crt_client,
    )

    session = botocore.session.Session()
    session.set_credentials(*KEYS)
    wrapper = BotocoreCRTCredentialsWrapper(session.get_credentials())
    made = create_s3_crt_client(
        region=REGION,
        crt_credentials_provider=wrapper.to_crt_credentials_provider(),
        use_ssl=False,
    )
    settings = {
        "region_name": REGION,
        "endpoint_url": endpoint,
        "config": Config(s3={"addressing_style": "path"}),
    }
    serializer = BotocoreCRTRequestSerializer(session, settings)
    with CRTTransferManager(made, serializer) as manager:
        waiting = [
            manager.upload(str(path), BUCKET, path.name, extra_args=dict(HEADERS)) for path in files
        ]
        for each in waiting:
            each.result()


WAYS = {"jam-deploy": ours, "boto3": boto3_threads, "s3transfer": crt}


if __name__ == "__main__":
    WAYS[sys.argv[1]](sys.argv[2], sorted(Path(sys.argv[3]).iterdir()))
