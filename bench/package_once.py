"""Packages one site's functions twice, from nothing and with all kept, and prints what each cost.

`python -m bench.package_once SITE CACHE UV [EXTERNAL …]`: a process of its own, so that nothing is
warm; its start is not counted. One JSON line for each time; sizes in bytes, `rss` in KB.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from runner.cli.world import cache
from runner.package.functions.assemble import package_functions
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from runner.toolchain import find


def main(site: str, own_cache: str, uv: str, *external: str) -> None:
    toolchain = replace(find(cache()), uv=Path(uv))
    settings = FunctionsSettings(common=FunctionSettings(external=external or None))
    quiet: list[str] = []
    with tempfile.TemporaryDirectory(dir=own_cache) as work:
        for _ in range(2):
            begun, used = time.perf_counter(), sum(os.times()[:4])
            made = package_functions(
                root=Path(site), directory="functions", toolchain=toolchain, work=Path(work),
                settings=settings, environment=os.environ, echo=quiet.append,
            )  # fmt: skip
            seconds, cpu = time.perf_counter() - begun, sum(os.times()[:4]) - used
            rss = sum(
                resource.getrusage(who).ru_maxrss
                for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            )
            size = sum(one.size for one in made)
            print(json.dumps({
                "seconds": seconds, "cpu": cpu, "count": len(made), "size": size, "rss": rss
            }))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
