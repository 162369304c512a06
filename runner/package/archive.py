"""Deterministic zip archives: the same members give the same bytes, on any machine and any day.

Pure: no disk, no clock. libdeflate's output depends on its version and level alone (`deflate` is
pinned); zlib's depends on how the interpreter was built. zip64 is refused: Lambda takes far less.
Format: PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import deflate

from runner.errors import site_error

Member = bytes | tuple[bytes, bool]
"""The content of a file, or the content and whether it is executable."""

LEVEL = 6  # level 12 saves 3 % and takes nine times as long
FORMAT = f"libdeflate of deflate {deflate.__version__}, level {LEVEL}"  # decides over every byte
_VERSION = 20  # 2.0: deflate
_UNIX = 3
_DATE = (0 << 9) | (1 << 5) | 1  # 1980-01-01, the first day of the format
_UTF8 = 0x800
_STORED, _DEFLATED = 0, 8
_FILE, _PROGRAM = 0o100644, 0o100755
_LIMIT = 0xFFFFFFFF
_COUNT = 0xFFFF
_HEADERS = 30 + 46  # bytes of a local and a central header, without the name in each


@dataclass(frozen=True, slots=True)
class Packed:
    """One content as it lies in an archive."""

    method: int
    data: bytes
    crc: int
    size: int


@dataclass(slots=True)
class Packer:
    """Deflates each distinct content once; give one to all archives that share files."""

    _known: dict[bytes, Packed] = field(default_factory=dict)

    def pack(self, content: bytes) -> Packed:
        digest = hashlib.sha256(content).digest()
        if digest not in self._known:
            self._known[digest] = _pack(content)
        return self._known[digest]


def lambda_digest(archive: bytes) -> str:
    """What Lambda tells an archive by. Source: Lambda API reference, FunctionConfiguration,
    CodeSha256."""
    return base64.b64encode(hashlib.sha256(archive).digest()).decode()


def write(members: Mapping[str, Member], packer: Packer | None = None) -> bytes:
    """A zip archive of `members`, by path with `/`, sorted by their bytes.

    Raises ValueError for a path that leaves the folder it is unpacked in, and
    JAM-ARCHIVE-SIZE beyond 4 GB or 65,535 files.
    """
    packer = packer or Packer()
    _check_size(members)
    body, directory = bytearray(), bytearray()
    for path in sorted(members, key=str.encode):
        content, executable = content_of(members[path])
        packed = packer.pack(content)
        fields, name = _fields(path, packed)
        directory += _central(fields, name, executable=executable, offset=len(body))
        body += struct.pack("<4s5H3L2H", b"PK\3\4", _VERSION, *fields, 0) + name + packed.data
    end = struct.pack(
        "<4s4H2LH", b"PK\5\6", 0, 0, len(members), len(members), len(directory), len(body), 0
    )
    body += directory + end
    return bytes(body)


def content_of(member: Member) -> tuple[bytes, bool]:
    """Content and whether it is executable."""
    return member if isinstance(member, tuple) else (member, False)


def _pack(content: bytes) -> Packed:
    crc = deflate.crc32(content)
    raw = bytes(deflate.deflate_compress(content, LEVEL))
    if len(raw) < len(content):
        return Packed(_DEFLATED, raw, crc, len(content))
    return Packed(_STORED, content, crc, len(content))


def _fields(path: str, packed: Packed) -> tuple[tuple[int, ...], bytes]:
    """What the local and the central header share, from the flags to the name's length."""
    name = _checked(path).encode()
    flags = 0 if path.isascii() else _UTF8
    sizes = (packed.crc, len(packed.data), packed.size)
    return (flags, packed.method, 0, _DATE, *sizes, len(name)), name


def _central(fields: tuple[int, ...], name: bytes, *, executable: bool, offset: int) -> bytes:
    mode = _PROGRAM if executable else _FILE
    made_by = (_UNIX << 8) | _VERSION
    tail = (0, 0, 0, 0, mode << 16, offset)  # no extra field, no comment, disk 0, no attributes
    return struct.pack("<4s6H3L5H2L", b"PK\1\2", made_by, _VERSION, *fields, *tail) + name


def _checked(path: str) -> str:
    parts = path.split("/")
    if "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"not a path inside an archive: {path!r}")
    return path


def _check_size(members: Mapping[str, Member]) -> None:
    total = sum(
        len(content_of(member)[0]) + _HEADERS + 2 * len(path.encode())
        for path, member in members.items()
    )
    if total > _LIMIT or len(members) > _COUNT:
        raise site_error(
            "JAM-ARCHIVE-SIZE",
            f"{len(members)} files of {total} bytes do not fit into one archive",
            hint="An archive holds at most 65,535 files and 4 GB.",
        )
