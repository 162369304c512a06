"""Zips of functions: checked as Lambda checks them, kept once by digest, unpacked to run."""

from __future__ import annotations

import base64
import hashlib
import io
import stat
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runner.local.compute.reference import invalid
from runner.local.compute.store import Code
from runner.local.quotas import ZIP_CONTENT, ZIP_UPLOAD
from runner.local.wire import AwsError

ReadObject = Callable[[str, str, str | None], bytes]
"""(bucket, key, version) -> bytes; raises KeyError with S3's code."""


class Codes:
    """`folder` is ours: it holds each zip and its content under the digest."""

    def __init__(self, folder: Path, read_object: ReadObject) -> None:
        self._folder = folder
        self._read_object = read_object
        self._lock = threading.Lock()

    def of(self, source: dict[str, Any], operation: str) -> Code:
        """The code that `Code` of CreateFunction or the members of UpdateFunctionCode name."""
        if "ImageUri" in source:
            raise AwsError("NotImplemented", "Container images are not emulated.", status=501)
        return self._kept(self._bytes(source, operation))

    def _bytes(self, source: dict[str, Any], operation: str) -> bytes:
        if source.get("ZipFile") is not None:
            return _direct(source["ZipFile"], operation)
        if not source.get("S3Bucket"):
            raise invalid("Please provide a source for function code.")
        try:
            return self._read_object(
                source["S3Bucket"], source["S3Key"], source.get("S3ObjectVersion")
            )
        except KeyError as error:
            code = error.args[0]
            raise invalid(
                f"Error occurred while GetObject. S3 Error Code: {code}. "
                f"S3 Error Message: {_S3_MESSAGES.get(code, code)}"
            ) from None

    def _kept(self, raw: bytes) -> Code:
        digest = hashlib.sha256(raw)
        folder = self._folder / digest.hexdigest()
        archive = folder / "code.zip"
        with self._lock:
            if not archive.exists():
                _unpack(raw, folder / "task")
                archive.write_bytes(raw)  # last: its presence says that all is there
        return Code(
            sha256=base64.b64encode(digest.digest()).decode(),
            size=len(raw),
            archive=archive,
            folder=folder / "task",
        )


_S3_MESSAGES = {
    "NoSuchKey": "The specified key does not exist.",
    "NoSuchBucket": "The specified bucket does not exist",
    "PermanentRedirect": "The bucket is in this region: another one. Please use that region",
}


def _direct(raw: bytes, operation: str) -> bytes:
    if len(raw) > ZIP_UPLOAD.limit:
        raise AwsError(
            "RequestEntityTooLargeException",
            f"Request must be smaller than 70167211 bytes for the {operation} operation",
            status=413,
        )
    return raw


def _unpack(raw: bytes, target: Path) -> None:
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
        entries = archive.infolist()
    except zipfile.BadZipFile:
        raise invalid(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from None
    if not entries:
        raise invalid("Uploaded file must be a non-empty zip")
    if sum(entry.file_size for entry in entries) >= ZIP_CONTENT.limit:
        raise invalid(f"Unzipped size must be smaller than {ZIP_CONTENT.limit} bytes")
    target.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        _extract(archive, entry, target)


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """Permissions come from the zip, as on Lambda; links too, but none may lead out."""
    mode = entry.external_attr >> 16
    if stat.S_ISLNK(mode):
        link = target / entry.filename
        points_to = archive.read(entry).decode()
        if not (link.parent / points_to).resolve().is_relative_to(target.resolve()):
            raise invalid("Could not unzip uploaded file: a link leads out of it.")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(points_to)
        return
    made = Path(archive.extract(entry, target))
    if made.is_file() and stat.S_IMODE(mode):
        made.chmod(stat.S_IMODE(mode))
