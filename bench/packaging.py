"""Packaging Node functions beside @netlify/zip-it-and-ship-it: `python -m bench.packaging`.

100 functions each, light (lodash, uuid, a shared module) and heavy (AWS SDK, zod, date-fns,
jsonwebtoken). Each reading in a process of its own, with nothing kept from the one before, in turn;
wall and CPU seconds of the library, without starting its interpreter. Its slowest modes take
minutes and are left out: `zisi`, and on heavy functions `nft`. Bare esbuild, which makes no zip and
looks at no dependency of a bundle, is the limit that no packager goes below.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.cost import Cost, adopt_orphans, costs
from bench.entry import Aim, Entry, Readings, Spread
from bench.samples import node_site
from bench.suite import Report, Run, main, progress

ROOT = Path(__file__).parent.parent
PEER = "zip-it-and-ship-it"
BARE = "esbuild alone, no zips"
MODES = {"light": ("esbuild", "nft"), "heavy": ("esbuild",)}
OURS = "jam-deploy"
AGAIN = "jam-deploy, nothing changed"
BUNDLED = "jam-deploy, the AWS SDK bundled"
MEMORY_MB = 500
# Without the flag every one of its zips carries a loader of 956 KB for Netlify's own telemetry.
ZISI = """import {{ zipFunctions }} from {module};
const [folder, target, bundler, base] = process.argv.slice(1);
const {{ user, system }} = process.cpuUsage();
const before = (user + system) / 1e6;
const begun = performance.now();
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
Reading = dict[str, float]


def measure(run: Run) -> Report:
    adopt_orphans()
    count = 10 if run.quick else 100
    site, peer = run.peers.get("site"), run.peers.get(PEER)
    report = Report(notes={"functions": count})
    if site is None:
        return report
    for kind in ("light", "heavy"):
        folder = node_site(run.scratch, kind, count=count, modules=site / "node_modules")
        readings = Readings()
        for number in range(run.rounds):
            progress(f"packaging, {kind}: round {number + 1} of {run.rounds}")
            one_round(run, folder, readings, kind=kind, peer=peer)
        report.entries += entries(f"packaging {count} {kind} Node functions", readings, kind=kind)
    return report


def one_round(run: Run, site: Path, readings: Readings, *, kind: str, peer: Path | None) -> None:
    uv = run.peers.toolchain.uv
    # Its esbuild mode leaves the AWS SDK to Lambda's runtime: so do we, to compare like with like.
    external = ["@aws-sdk/*"] if kind == "heavy" else []
    first, again = ours(site, run.scratch, uv, *external)
    keep(readings, OURS, first)
    keep(readings, AGAIN, again)
    if kind == "heavy":
        keep(readings, BUNDLED, ours(site, run.scratch, uv)[0])
    bare = esbuild(run, site, *external)
    for what, value in (("seconds", bare.seconds), ("cpu", bare.cpu)):
        readings.add(what, BARE, value)
    for mode in MODES[kind] if peer else ():
        with run.peers.trying(f"{PEER} {mode}"):
            keep(readings, f"{PEER} {mode}", zisi(run, site, peer, bundler=mode))


def keep(readings: Readings, who: str, reading: Reading) -> None:
    readings.add("seconds", who, reading["seconds"])
    readings.add("cpu", who, reading["cpu"])
    readings.add("memory", who, reading["rss"] / 1024)
    readings.add("size", who, reading["size"] / 1000 / max(reading["count"], 1))


def ours(site: Path, scratch: Path, uv: Path, *external: str) -> list[Reading]:
    """The first time, and again with everything kept."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.package_once",
         str(site), str(scratch), str(uv), *external],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def zisi(run: Run, site: Path, peer: Path, *, bundler: str) -> Reading:
    module = json.dumps(str(peer / "node_modules/@netlify/zip-it-and-ship-it/dist/main.js"))
    with costs() as cost, tempfile.TemporaryDirectory(dir=run.scratch) as target:
        done = subprocess.run(
            [str(run.peers.toolchain.node), "--input-type=module", "-e", ZISI.format(module=module),
             str(site / "functions"), target, bundler, str(site)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    result: Reading = json.loads(done.stdout.splitlines()[-1])
    result["cpu"] = cost.cpu - result.pop("before")
    return result


def esbuild(run: Run, site: Path, *external: str) -> Cost:
    """One process over all functions, with the options that bundles for Lambda need."""
    sources = sorted(str(each) for each in (site / "functions").glob("*.js"))
    with tempfile.TemporaryDirectory(dir=run.scratch) as target, costs() as cost:
        subprocess.run(
            [str(run.peers.toolchain.esbuild), *sources, "--bundle", "--platform=node",
             "--target=node22", "--format=cjs", "--log-level=error", f"--outdir={target}",
             *(f"--external:{each}" for each in external)],
            cwd=site, check=True,
        )  # fmt: skip
    return cost


def entries(name: str, readings: Readings, *, kind: str) -> list[Entry]:
    theirs = tuple(f"{PEER} {mode}" for mode in MODES[kind])
    made = [
        compared(name, "s", readings.of("seconds"), Aim(over=theirs, times=4)),
        compared(f"{name}, processor time", "CPU s", readings.of("cpu"), Aim(over=theirs, times=4)),
        compared(f"{name}, size of a zip", "KB", readings.of("size"), Aim(over=theirs)),
        # A peer packages everything anew each time.
        compared(f"{name}, nothing changed", "s", readings.of("seconds"),
                 Aim(over=theirs, times=4), ours=AGAIN),
    ]  # fmt: skip
    if kind == "heavy":
        memory = Aim(bound=MEMORY_MB)
        made.append(compared(f"{name}, memory", "MB", readings.of("memory"), memory))
    return made


def compared(
    name: str, unit: str, found: dict[str, Spread], aim: Aim, *, ours: str = OURS
) -> Entry:
    peers = {who: each for who, each in found.items() if who not in (OURS, AGAIN)}
    return Entry(name=name, unit=unit, ours=found[ours], peers=peers, aim=aim)


if __name__ == "__main__":
    main(measure, __doc__)
