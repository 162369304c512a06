"""Puts a folder into the bucket by obstore: `put_obstore.py ENDPOINT FOLDER BUCKET KEY SECRET`.

With a condition and a checksum, as we do. Runs in obstore's own environment, hence imports nothing
of ours.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from obstore.store import S3Store

AT_ONCE = 64


async def put_all(endpoint: str, folder: str, bucket: str, key: str, secret: str) -> None:
    store = S3Store(
        bucket, endpoint=endpoint, region="us-east-1", access_key_id=key, secret_access_key=secret,
        virtual_hosted_style_request=False, checksum_algorithm="SHA256",
        client_options={"allow_http": True},
    )  # fmt: skip
    free = asyncio.Semaphore(AT_ONCE)

    async def put(path: Path) -> None:
        async with free:
            await store.put_async(
                path.name, path.read_bytes(), mode="create", use_multipart=False,
                attributes={
                    "Content-Type": "text/html; charset=utf-8",
                    "Cache-Control": "public, max-age=0",
                },
            )  # fmt: skip

    await asyncio.gather(*(put(path) for path in sorted(Path(folder).iterdir())))


if __name__ == "__main__":
    asyncio.run(put_all(*sys.argv[1:]))
    os._exit(0)  # now and then its threads abort while the interpreter ends, with all files there
