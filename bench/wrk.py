"""wrk, which is in C, where the machine has it: on one connection a load generator in Python is a
fifth of each round trip that it measures. Else ours (bench/load.py), which says so."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path

from bench.load import Load, bare_server, load

OURS = "bench/load.py"
_SCRIPT = Path(__file__).with_suffix(".lua")
_STARTS_AND_ENDS = 30.0  # seconds


def generator() -> str:
    """The path of the program that asks, or `OURS`."""
    return shutil.which("wrk") or OURS


def measured(url: str, connections: int, *, seconds: float, by: str) -> Load:
    """Asks `url` over so many kept connections. Raises ConnectionError where not all went well."""
    if by == OURS:
        return load(url, connections, seconds=seconds)
    ended = subprocess.run(
        [
            *(by, "--threads", "1", "--connections", str(connections)),
            *("--duration", f"{math.ceil(seconds)}s", "--script", str(_SCRIPT), url),
        ],
        capture_output=True,
        text=True,
        timeout=seconds + _STARTS_AND_ENDS,
        check=False,
    )
    if ended.returncode:
        raise ConnectionError(f"wrk: {ended.stderr or ended.stdout}")
    told = json.loads(ended.stderr)
    if told["refused"] or told["lost"] or not told["answers"]:
        raise ConnectionError(f"wrk: {ended.stderr}")
    return Load(
        p50_ms=told["p50"] / 1000,
        p99_ms=told["p99"] / 1000,
        per_second=told["answers"] / told["lasted"] * 1e6,
    )


def ceiling(node: Path, *, seconds: float, by: str) -> dict[str, object]:
    """Answers a second of a server that does nothing, on one and on sixteen connections."""
    with bare_server(node) as url:
        load(url, 16, seconds=0.5)
        rates = {
            f"c{each}_per_second": round(measured(url, each, seconds=seconds, by=by).per_second)
            for each in (1, 16)
        }
    return {"program": Path(by).name, **rates}
