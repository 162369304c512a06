"""Fetches the code of a deployed function as Lambda keeps it, and unpacks it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from runner.aws.deployed import Described
from runner.errors import JamError, aws_error, busy_error, site_error
from runner.fetch import Fetch
from runner.operate.choose import Target
from runner.operate.unpack import Unpacked, check_folder, unpack


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What `get` brought, and where it lies."""

    target: Target
    described: Described
    unpacked: Unpacked
    folder: Path


def get(
    target: Target, described: Described, *, folder: Path, fetch_from: Callable[[str], Fetch]
) -> Got:
    """The function's code in `folder`; `fetch_from` gives the way to a host.

    Raises JAM-FOLDER-NOT-EMPTY, JAM-FUNCTION-IMAGE, JAM-CODE-GONE, JAM-CODE-DAMAGED and
    JAM-CODE-UNSAFE.
    """
    check_folder(folder)
    if not described.location:
        raise _image(target)
    archive = _download(described, fetch_from)
    unpacked = unpack(archive, folder)
    return Got(target=target, described=described, unpacked=unpacked, folder=folder)


def _download(described: Described, fetch_from: Callable[[str], Fetch]) -> bytes:
    """The zip, held against Lambda's own digest. Its address is a secret for ten minutes.

    Source: Lambda API reference, GetFunction, `Code.Location`; FunctionConfiguration, `CodeSha256`.
    """
    parts = urlsplit(described.location)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    answer = fetch_from(f"{parts.scheme}://{parts.netloc}")(path, {})
    if answer.status != 200:
        raise busy_error(
            "JAM-CODE-GONE",
            f"The code of {described.function} cannot be fetched: status {answer.status}.",
            hint="Lambda's address for it is good for ten minutes; run again.",
        )
    if base64.b64encode(hashlib.sha256(answer.body).digest()).decode() != described.code_sha256:
        raise aws_error(
            "JAM-CODE-DAMAGED",
            f"What came as the code of {described.function} is not what Lambda says it has.",
            hint="Run again; a proxy between here and AWS may change what it passes on.",
        )
    return answer.body


def _image(target: Target) -> JamError:
    return site_error(
        "JAM-FUNCTION-IMAGE",
        f"{target.shown} is a container image: it has no archive to fetch.",
        hint="Pull the image from its registry instead.",
    )
