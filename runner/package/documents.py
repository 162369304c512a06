"""Pages whose header rules must show in their bytes.

Equal bytes have an equal ETag at S3, so a browser would be told 304 and keep the headers of an
older release: a Content-Security-Policy taken back would not arrive. Writes to the content store.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from runner.build import store as content_store
from runner.build.publish import Found

# A comment in ASCII would be noise at the end of these.
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def marked(file: Found, store: Path, *, reference: str) -> Found:
    """The page with the digest of its header set as a comment at the end.

    Unchanged where ASCII text cannot be appended (UTF-16 and UTF-32).
    """
    data = file.source.read_bytes()
    if data.startswith(_WIDE) or b"\0" in data:
        return file
    whole = data + f"<!-- jam:{reference.partition('.')[0]} -->".encode("ascii")
    digest = hashlib.sha256(whole).hexdigest()
    source = content_store.keep(store, whole, digest=digest)
    return Found(path=file.path, digest=digest, size=len(whole), source=source)
