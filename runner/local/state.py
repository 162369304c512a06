"""State that survives a restart: the calls that changed something, kept to be made again.

A file of msgpack records, each behind its length, appended as calls succeed. A record cut off by a
crash is dropped. moto cannot save its state, but equal calls with equal seeds make equal ids.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from runner.local import protocol
from runner.local.clock import Clock
from runner.local.overlay import Overlay
from runner.local.protocol import Incoming
from runner.local.wire import Request

LOG = logging.getLogger("runner.local")

FILE = "calls.msgpack"
_LENGTH = struct.Struct(">I")


class Recorded(msgspec.Struct, frozen=True, array_like=True):
    """One call as it came in; `number` seeds its ids, `at` is the cloud's time."""

    number: int
    at: float
    method: str
    host: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def request(self) -> Request:
        return Request(
            method=self.method,
            host=self.host,
            path=self.path,
            query=self.query,
            headers=self.headers,
            body=self.body,
        )


class Recording:
    """The file of one cloud. Appends are made under the overlay's lock."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Recorded)
        self._path.touch()
        self._file = self._path.open("r+b")

    def append(self, incoming: Incoming, *, number: int, at: float) -> None:
        sent = incoming.request
        record = self._encoder.encode(
            Recorded(number, at, sent.method, sent.host, sent.path, sent.query, sent.headers,
                     sent.body)
        )  # fmt: skip
        self._file.write(_LENGTH.pack(len(record)) + record)
        self._file.flush()

    def load(self) -> Iterator[Recorded]:
        """Every whole record; appending goes on behind the last of them."""
        self._file.seek(0)
        end = 0
        while len(head := self._file.read(_LENGTH.size)) == _LENGTH.size:
            record = self._file.read(_LENGTH.unpack(head)[0])
            if len(record) < _LENGTH.unpack(head)[0]:
                break
            end = self._file.tell()
            yield self._decoder.decode(record)
        self._file.seek(end)
        self._file.truncate()

    def clear(self) -> None:
        self._file.seek(0)
        self._file.truncate()

    def close(self) -> None:
        self._file.close()


def replay(recording: Recording, *, overlay: Overlay, clock: Clock, wall: float) -> int:
    """Makes the recorded calls again at their recorded times; returns how many there were.

    The clock then goes on from `wall`, or from the last call if that is later.
    """
    last, count = wall, 0
    for record in recording.load():
        clock.jump(record.at)
        last, count = max(last, record.at), count + 1
        response = overlay.repeat(protocol.incoming(record.request()), number=record.number)
        if response.status >= 400:
            LOG.warning("call %d no longer succeeds: %s", record.number, response.body[:300])
    clock.run(last)
    return count
