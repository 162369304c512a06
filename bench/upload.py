"""Ways to upload one site, side by side: `python bench/upload.py RCLONE [--files N] [--rounds N]`.

2,000 files of 1 to 200 KB go to `rclone serve s3` on loopback, straight and through a proxy that
adds 30 ms of round trip. Interleaved rounds; medians of wall seconds and of client CPU seconds.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import math
import multiprocessing
import random
import resource
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from botocore.config import Config

BUCKET = "site"
KEYS = {
    "aws_access_key_id": "bench-key",
    "aws_secret_access_key": "bench-secret",
    "region_name": "us-east-1",
}


def make_site(folder: Path, count: int) -> list[Path]:
    """Files whose sizes are spread evenly over the logarithm of 1 to 200 KB; fixed seed."""
    chance = random.Random(7)
    made = []
    for number in range(count):
        size = int(math.exp(chance.uniform(math.log(1_000), math.log(200_000))))
        path = folder / f"{number}.html"
        path.write_bytes(chance.randbytes(size))
        made.append(path)
    return made


def client(endpoint: str, connections: int):
    config = Config(
        max_pool_connections=connections,
        retries={"mode": "standard", "total_max_attempts": 5},
        s3={"addressing_style": "path"},
    )
    return boto3.client("s3", endpoint_url=endpoint, config=config, **KEYS)


def put(s3, path: Path, prefix: str) -> None:
    body = path.read_bytes()
    s3.put_object(
        Bucket=BUCKET,
        Key=f"{prefix}/{path.name}",
        Body=body,
        ContentType="text/html; charset=utf-8",
        CacheControl="public, max-age=0",
        Metadata={"jam-release": "0" * 32},
        ChecksumSHA256=base64.b64encode(hashlib.sha256(body).digest()).decode(),
        IfNoneMatch="*",
    )


def threads(endpoint: str, files: list[Path], prefix: str, *, workers: int) -> None:
    s3 = client(endpoint, workers)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda path: put(s3, path, prefix), files))


def processes(endpoint: str, files: list[Path], prefix: str, *, workers: int) -> None:
    count = 2
    parts = [files[start::count] for start in range(count)]
    context = multiprocessing.get_context("fork")
    running = [
        context.Process(
            target=threads, args=(endpoint, part, prefix), kwargs={"workers": workers // count}
        )
        for part in parts
    ]
    for each in running:
        each.start()
    for each in running:
        each.join()


def crt(endpoint: str, files: list[Path], prefix: str, *, workers: int) -> None:
    import botocore.session
    from s3transfer.crt import (
        BotocoreCRTCredentialsWrapper,
        BotocoreCRTRequestSerializer,
        CRTTransferManager,
        create_s3_crt_client,
    )

    session = botocore.session.Session()
    session.set_credentials("bench-key", "bench-secret")
    kwargs = {
        "region_name": "us-east-1",
        "endpoint_url": endpoint,
        "config": Config(s3={"addressing_style": "path"}),
    }
    wrapper = BotocoreCRTCredentialsWrapper(session.get_credentials())
    crt_client = create_s3_crt_client(
        region="us-east-1",
        crt_credentials_provider=wrapper.to_crt_credentials_provider(),
        use_ssl=False,
    )
    serializer = BotocoreCRTRequestSerializer(session, kwargs)
    with CRTTransferManager(crt_client, serializer) as manager:
        waiting = [
            manager.upload(
                str(path),
                BUCKET,
                f"{prefix}/{path.name}",
                extra_args={
                    "ContentType": "text/html; charset=utf-8",
                    "CacheControl": "public, max-age=0",
                    "Metadata": {"jam-release": "0" * 32},
                },
            )
            for path in files
        ]
        for each in waiting:
            each.result()


def ours(endpoint: str, files: list[Path], prefix: str, *, workers: int) -> None:
    """What jam-deploy does; its digests come from packaging, here they are part of the time."""
    from runner.aws.files import Upload
    from runner.aws.session import Aws
    from runner.aws.upload import put as put_all

    aws = Aws(
        boto3.Session(**KEYS), endpoint, clock=time.time, sleep=time.sleep, chance=random.random
    )
    uploads = (
        Upload(
            key=f"{prefix}/{path.name}",
            source=path,
            size=path.stat().st_size,
            digest=hashlib.sha256(path.read_bytes()).hexdigest(),
            content_type="text/html; charset=utf-8",
            cache_control="public, max-age=0",
            metadata={"jam-release": "0" * 32},
        )
        for path in files
    )
    put_all(aws, BUCKET, uploads, moved=lambda files, size: None)


WAYS = {
    "jam-deploy (awscrt's S3 client)": (ours, 0),
    "boto3, 32 threads": (threads, 32),
    "boto3, 64 threads": (threads, 64),
    "boto3, 2 processes, 64 threads": (processes, 64),
    "s3transfer on awscrt": (crt, 0),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def slow(target: int, delay: float) -> int:
    """A proxy that holds every piece of data back for `delay` seconds, both ways in sum."""
    server = socket.create_server(("127.0.0.1", 0), backlog=256)

    def pump(source: socket.socket, sink: socket.socket) -> None:
        pieces: list[tuple[float, bytes]] = []
        ready = threading.Condition()

        def send() -> None:
            while True:
                with ready:
                    while not pieces:
                        ready.wait()
                    due, data = pieces.pop(0)
                time.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    return sink.shutdown(socket.SHUT_WR)
                sink.sendall(data)

        threading.Thread(target=send, daemon=True).start()
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            with ready:
                pieces.append((time.monotonic() + delay / 2, data))
                ready.notify()
            if not data:
                return

    def serve() -> None:
        while True:
            near, _ = server.accept()
            far = socket.create_connection(("127.0.0.1", target))
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=pump, args=(near, far), daemon=True).start()
            threading.Thread(target=pump, args=(far, near), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


def timed(way: str, endpoint: str, files: list[Path], prefix: str) -> tuple[float, float]:
    """Wall and CPU seconds of one upload, in a process of its own."""
    function, workers = WAYS[way]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()

    def run() -> None:
        start = time.monotonic()
        function(endpoint, files, prefix, workers=workers)
        wall = time.monotonic() - start
        own = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        queue.put((wall, own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime))

    process = context.Process(target=run)
    process.start()
    result = queue.get(timeout=300)
    process.join()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rclone")
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = make_site(Path(folder), options.files)
        port = free_port()
        server = subprocess.Popen(
            [
                options.rclone,
                "serve",
                "s3",
                "--addr",
                f"127.0.0.1:{port}",
                "--auth-key",
                "bench-key,bench-secret",
                ":memory:",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(1.5)
        client(f"http://127.0.0.1:{port}", 1).create_bucket(Bucket=BUCKET)
        try:
            for delay in (0.0, 0.03):
                # The proxy is a process of its own, so that it takes no time from the client's.
                pipe, far = multiprocessing.Pipe()

                def proxy(pipe=far, delay=delay) -> None:
                    pipe.send(slow(port, delay))
                    time.sleep(3_600)

                helper = multiprocessing.get_context("fork").Process(target=proxy, daemon=True)
                endpoint = port
                if delay:
                    helper.start()
                    endpoint = pipe.recv()
                seen: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
                for number in range(options.rounds):
                    for way in WAYS:
                        prefix = f"{delay}-{number}-{len(way)}"
                        seen[way].append(timed(way, f"http://127.0.0.1:{endpoint}", files, prefix))
                for way, results in seen.items():
                    wall = statistics.median(result[0] for result in results)
                    cpu = statistics.median(result[1] for result in results)
                    print(
                        f"{delay * 1000:3.0f} ms  {way:32} {wall:6.2f} s  CPU {cpu:5.2f} s",
                        flush=True,
                    )
                if delay:
                    helper.terminate()
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
