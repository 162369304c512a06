"""A release as entry sees it: the manifest, the documents beside the code, the bucket for the rest.

Runs inside entry's zip: standard library only; boto3 comes with Lambda's runtime and is imported
when the bucket is asked for the first time, for it costs more than everything else here. A cold
start is a visitor who waits: named tuples, because `dataclasses` takes longer to import than all
of entry.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from runner.entry.index import Rules
from runner.paths import INDEX, key_of_uri

IMMUTABLE = "immutable"


class UnavailableError(Exception):
    """The bucket did not answer, or refused: nothing is known about the object."""


class Content(NamedTuple):
    """Bytes with their entity tag, quotes included."""

    body: bytes
    etag: str


Fetch = Callable[[str], Content | None]
"""Reads an object below the environment's prefix; None if there is none, or UnavailableError."""


class Listed(NamedTuple):
    """A file of the manifest."""

    key: str
    kind: str
    content_type: str
    cache_control: str
    headers: str


class Site(NamedTuple):
    """One release. `folder` holds the documents that travel with it, if it is entry's own.

    `base` is a preview's folder in the bucket (`pr-7/`), below which its release lies.
    """

    release: str
    files: dict[str, list[str]]
    rules: Rules
    headers: dict[str, list[list[str]]]
    routing: dict[str, Any]
    not_found: str
    folder: Path | None = None
    base: str = ""

    def listed(self, key: str) -> Listed | None:
        found = self.files.get(key)
        if found is None:
            return None
        kind, content_type, cache_control, headers = found[:4]  # the digest is the last
        return Listed(
            key=key,
            kind=kind,
            content_type=content_type,
            cache_control=cache_control,
            headers=headers,
        )

    def headers_of(self, file: Listed) -> list[list[str]]:
        reference = self.routing.get("h", "") if file.kind == IMMUTABLE else file.headers
        return self.headers.get(reference, [])

    def is_immutable(self, key: str) -> bool:
        """Whether a pattern of the release, with its one `*`, matches the key."""
        return any(
            len(key) >= len(head) + len(tail) and key.startswith(head) and key.endswith(tail)
            for head, _, tail in (pattern.partition("*") for pattern in self.routing.get("i", []))
        )

    def falls_back(self, path: str) -> bool:
        """Whether a raw path, extensionless, gets a single-page application's start document.

        By its key alone, as CloudFront keeps the answer: `/notes.html` is `/notes`.
        """
        segments = key_of_uri(path).split("/")
        excepted = segments[0] in self.routing.get("x", [])
        return bool(self.routing.get("spa")) and segments[-1] == INDEX and not excepted

    def read(self, file: Listed, fetch: Fetch) -> Content | None:
        if self.folder is not None and (local := self.folder / file.key).is_file():
            return content_of(local.read_bytes())
        folder = "assets" if file.kind == IMMUTABLE else f"releases/{self.release}"
        return fetch(f"{self.base}{folder}/{file.key}")


def content_of(body: bytes) -> Content:
    """As S3 would tag it, so that an answer of either is the same to a browser.

    Source: S3 API, Object: the ETag of an object uploaded in one part is the MD5 of its bytes.
    """
    import hashlib  # a redirect needs none

    return Content(body, f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"')


def site_of(manifest: bytes, folder: Path | None = None, *, base: str = "") -> Site:
    """The site that a manifest describes."""
    raw = json.loads(manifest)
    return Site(
        release=raw["release"],
        files=raw["files"],
        rules=Rules(raw.get("redirects", [])),
        headers=raw.get("headers", {}),
        routing=raw.get("routing", {}),
        not_found=raw.get("notFound", ""),
        folder=folder,
        base=base,
    )


def bucket(name: str, prefix: str) -> Fetch:
    """Reads from the site's bucket. Entry has five seconds before CloudFront gives up on it."""
    clients: list[Any] = []

    def fetch(key: str) -> Content | None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: TID251  # in Lambda

        try:
            if not clients:
                clients.append(_client())
            found = clients[0].get_object(Bucket=name, Key="/".join(filter(None, (prefix, key))))
            return Content(found["Body"].read(), found["ETag"])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
                return None
            raise UnavailableError(key) from error
        except BotoCoreError as error:
            raise UnavailableError(key) from error

    return fetch


def _client() -> Any:
    import boto3  # noqa: TID251  # Lambda's runtime brings it
    from botocore.config import Config  # noqa: TID251

    config = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})
    return boto3.client("s3", config=config)
