"""Ids that AWS would pick, drawn so that a replay of the same calls draws the same ones."""

from __future__ import annotations

import random
import string
import threading
import uuid


class Ids:
    """Seeded anew for every control-plane call; draw only inside an operation.

    Outside of one (a visitor's request id, say) use `uuid.uuid4`: nothing has to repeat there.
    """

    def __init__(self, seed: int = 0) -> None:
        self.base = seed
        self._random = random.Random(seed)  # noqa: S311 -- must repeat; nothing here is a secret
        self._lock = threading.Lock()

    def seed(self, number: int) -> None:
        """Begins the draws of call `number`."""
        with self._lock:
            self._random.seed((self.base << 64) + number)

    def uuid(self) -> str:
        with self._lock:
            return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def hexadecimal(self, length: int) -> str:
        return self.of("0123456789abcdef", length)

    def upper(self, length: int) -> str:
        """As CloudFront's ids and ETags look: `E2QWRUHAPOMQZL` is `"E" + upper(13)`."""
        return self.of(string.ascii_uppercase + string.digits, length)

    def lower(self, length: int) -> str:
        """As API Gateway's ids and function URLs look: ten lower-case letters and digits."""
        return self.of(string.ascii_lowercase + string.digits, length)

    def of(self, alphabet: str, length: int) -> str:
        with self._lock:
            return "".join(self._random.choices(alphabet, k=length))
