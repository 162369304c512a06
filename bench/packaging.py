"""Packaging functions, side by side: `python -m bench.packaging [--rounds N] [--slow]`.

100 Node functions, light (lodash, uuid, a shared module) and heavy (AWS SDK, zod, date-fns,
jsonwebtoken), by jam-deploy and by @netlify/zip-it-and-ship-it, which this installs into a folder
for the while; 10 Python functions on one list of requirements, by jam-deploy and by pip. Each run
in a process of its own, with nothing kept from the one before; interleaved; medians of the wall and
CPU seconds that the library takes, without starting its interpreter: on a machine that is not idle
the CPU's tell more. `--slow` adds its modes that take minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from runner.toolchain import find, install_packages

ROOT = Path(__file__).parent.parent
COUNT = 100
PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans become ours, and so does their CPU time
PACKAGES = {
    "light": ["lodash", "uuid@9"],
    "heavy": ["@aws-sdk/client-dynamodb", "zod", "date-fns", "jsonwebtoken"],
}
PEER = "@netlify/zip-it-and-ship-it"
LIGHT = """const _ = require("lodash");
const {{ v4 }} = require("uuid");
const {{ answer }} = require("./lib/shared");
exports.handler = async (event) => answer(_.camelCase("function {number}"), v4(), event);
"""
SHARED = """exports.answer = (name, id, event) => ({
  statusCode: 200, body: JSON.stringify({ name, id, event }),
});
"""
HEAVY = """import {{ DynamoDBClient, GetItemCommand }} from "@aws-sdk/client-dynamodb";
import {{ z }} from "zod";
import {{ format }} from "date-fns";
import jwt from "jsonwebtoken";
const client = new DynamoDBClient({{}});
const Body = z.object({{ id: z.string(), n{number}: z.number() }});
export const handler = async (event) => {{
  const body = Body.parse(JSON.parse(event.body));
  const command = new GetItemCommand({{ TableName: "t{number}", Key: {{ id: {{ S: body.id }} }} }});
  const item = await client.send(command);
  return {{ statusCode: 200, body: jwt.sign({{ item, at: format(new Date(), "yyyy") }}, "k") }};
}};
"""
REQUIREMENTS = "requests==2.32.5\npydantic==2.12.4\njinja2==3.1.6\npython-dateutil==2.9.0.post0\n"
# Without it, every one of its zips carries a loader of 956 KB for Netlify's own telemetry.
ZISI = """import {{ zipFunctions }} from {module};
const [folder, target, bundler, base] = process.argv.slice(1);
const begun = performance.now();
const {{ user, system }} = process.cpuUsage();
const before = (user + system) / 1e6;
const made = await zipFunctions(folder, target, {{
  basePath: base,
  config: {{ "*": {{ nodeBundler: bundler }} }},
  featureFlags: {{ zisi_add_instrumentation_loader: false }},
}});
const seconds = (performance.now() - begun) / 1000;
const size = made.reduce((sum, one) => sum + one.size, 0);
const rss = process.resourceUsage().maxRSS;
console.log(JSON.stringify({{ seconds, count: made.length, size, rss, before }}));
"""
OURS = """import json, os, resource, sys, tempfile, time
from pathlib import Path
from runner.package.functions.assemble import package_functions
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from runner.toolchain import find
root, cache, external, echo = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:], []
with tempfile.TemporaryDirectory() as work:
    for again in (False, True):
        begun, used = time.perf_counter(), sum(os.times()[:4])
        made = package_functions(
            root=root, directory="functions", toolchain=find(cache), work=Path(work),
            settings=FunctionsSettings(common=FunctionSettings(external=tuple(external) or None)),
            environment=os.environ, echo=echo.append,
        )
        seconds, cpu = time.perf_counter() - begun, sum(os.times()[:4]) - used
        rss = sum(resource.getrusage(who).ru_maxrss for who in (
            resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        size = sum(one.size for one in made)
        print(json.dumps(dict(seconds=seconds, cpu=cpu, count=len(made), size=size, rss=rss)))
"""


def make_site(root: Path, kind: str, modules: Path) -> Path:
    functions = root / kind / "functions"
    (functions / "lib").mkdir(parents=True)
    for number in range(COUNT):
        code = (LIGHT if kind == "light" else HEAVY).format(number=number)
        (functions / f"f{number}.js").write_text(code)
    (functions / "lib" / "shared.js").write_text(SHARED)
    shutil.copytree(modules, root / kind / "node_modules", copy_function=os.link, symlinks=True)
    return root / kind


def make_python(root: Path) -> Path:
    functions = root / "python" / "functions"
    functions.mkdir(parents=True)
    for number in range(10):
        code = f"import requests\ndef handler(event, context): return {number}\n"
        (functions / f"f{number}.py").write_text(code)
    (functions / "requirements.txt").write_text(REQUIREMENTS)
    return root / "python"


def ours(site: Path, cache: Path, *external: str) -> list[dict[str, float]]:
    """The first run, and one with everything kept."""
    done = subprocess.run(
        [sys.executable, "-c", OURS, str(site), str(cache), *external],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def zisi(site: Path, peer: Path, bundler: str) -> dict[str, float]:
    module = json.dumps(str(peer / "node_modules" / PEER / "dist" / "main.js"))
    used = _children()
    with tempfile.TemporaryDirectory() as target:
        done = subprocess.run(
            [str(find(ROOT).node), "--input-type=module", "-e", ZISI.format(module=module),
             str(site / "functions"), target, bundler, str(site)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    result = json.loads(done.stdout.splitlines()[-1])
    result["cpu"] = _children() - used - result.pop("before")
    return result


def _children() -> float:
    """CPU seconds of every process that has ended below this one, orphans included.

    Node does not wait for its esbuild: its time would be nobody's.
    """
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    times = os.times()
    return times.children_user + times.children_system


def pip(site: Path) -> dict[str, float]:
    """What it takes without us: one list of wheels for Lambda's platform, in a folder."""
    with tempfile.TemporaryDirectory() as target:
        begun, used = time.perf_counter(), _children()
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--target", target, "--only-binary=:all:", "--python-version=3.13",
             "--platform=manylinux2014_x86_64", "--platform=manylinux_2_28_x86_64",
             "-r", str(site / "functions" / "requirements.txt")],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        cpu = _children() - used
        return {
            "seconds": time.perf_counter() - begun, "cpu": cpu, "count": 1, "size": 0, "rss": 0
        }  # fmt: skip


def told(kind: str, seen: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    medians = {}
    for way, runs in seen.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        medians[way] = middle
        print(
            f"{kind:7} {way:44} {middle['seconds']:8.3f} s "
            f"CPU {middle['cpu']:7.3f} s "
            f"{middle['size'] / 1000 / max(middle['count'], 1):8.1f} KB each "
            f"{middle['rss'] / 1024:6.0f} MB",
            flush=True,
        )
    return medians


def node(kind: str, root: Path, peer: Path, *, rounds: int, slow: bool) -> None:
    site = make_site(root, kind, peer / "node_modules")
    modes = ["esbuild", "nft", "zisi"] if slow else ["esbuild"] + ["nft"] * (kind == "light")
    seen: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        # Its esbuild mode leaves the AWS SDK to Lambda's runtime: so do we, to compare like.
        first, again = ours(site, root / "cache", *(["@aws-sdk/*"] if kind == "heavy" else []))
        seen.setdefault("jam-deploy", []).append(first)
        seen.setdefault("jam-deploy, nothing changed", []).append(again)
        if kind == "heavy":
            run = ours(site, root / "cache")[0]
            seen.setdefault("jam-deploy, the AWS SDK bundled", []).append(run)
        for mode in modes:
            seen.setdefault(f"zip-it-and-ship-it {mode}", []).append(zisi(site, peer, mode))
    medians = told(kind, seen)
    for unit in ("seconds", "cpu"):
        theirs = min(one[unit] for way, one in medians.items() if way.startswith("zip-it"))
        times = theirs / medians["jam-deploy"][unit]
        print(f"{kind:7} {times:.1f} times as fast as its fastest mode, by {unit}", flush=True)


def python(root: Path, *, rounds: int) -> None:
    site = make_python(root)
    seen: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        first, again = ours(site, root / "cache")
        seen.setdefault("jam-deploy, 10 functions", []).append(first)
        seen.setdefault("jam-deploy, nothing changed", []).append(again)
        seen.setdefault("pip install --target, no zip", []).append(pip(site))
    told("python", seen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--only", choices=["light", "heavy", "python"])
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        toolchain = find(root / "cache")
        install_packages(toolchain, os.environ)
        kinds = [kind for kind in PACKAGES if options.only in (None, kind)]
        peer = root / "peer"
        peer.mkdir()
        (peer / "package.json").write_text('{"private": true}')
        if kinds:
            wanted = [PEER, *(name for kind in kinds for name in PACKAGES[kind])]
            subprocess.run(
                [*toolchain.npm, "install", "--ignore-scripts", "--no-audit", "--no-fund",
                 "--loglevel=error", *wanted],
                cwd=peer, check=True, env=toolchain.environment(os.environ),
            )  # fmt: skip
        for kind in kinds:
            node(kind, root, peer, rounds=options.rounds, slow=options.slow)
        if options.only in (None, "python"):
            python(root, rounds=options.rounds)


if __name__ == "__main__":
    main()
