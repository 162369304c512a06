"""Entry in its own process, as Lambda has it: `python -I entry_once.py FOLDER EVENTS`.

FOLDER is entry's archive, unpacked; EVENTS a JSON list of function URL events. Prints the
milliseconds of the first answer with all that is imported and read for it, then those of the rest,
and the processor time of both.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main(folder: str, events: str) -> None:
    asked = json.loads(Path(events).read_text())
    sys.path.insert(0, folder)
    begun, used = time.perf_counter(), time.process_time()
    entry = __import__("entry")
    entry.handler(asked[0])
    cold = (time.perf_counter() - begun) * 1000
    cold_cpu = (time.process_time() - used) * 1000
    warm, cpu = [], []
    for event in asked:
        begun, used = time.perf_counter(), time.process_time()
        entry.handler(event)
        warm.append((time.perf_counter() - begun) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    print(json.dumps({"cold": cold, "cold_cpu": cold_cpu, "warm": warm, "cpu": cpu}))


if __name__ == "__main__":
    main(*sys.argv[1:])
