"""What `get` says of a function whose code it fetched. Pure."""

from __future__ import annotations

from runner.operate.code import Got
from runner.report.printable import printable
from runner.report.watch import size_of


def got_text(got: Got) -> str:
    """For a person: what it is, where it lies, how Lambda runs it."""
    about, files = got.described, got.unpacked
    lines = [
        f"{got.target.shown}: version {about.version} of {about.function}",
        f"  {files.files} files ({size_of(files.bytes)}) in {got.folder}",
        f"  handler   {about.handler}",
        f"  runtime   {about.runtime}, {about.architecture}",
        f"  limits    {about.memory} MB, {about.timeout} s",
        f"  layers    {', '.join(about.layers) or 'none'}",
    ]
    if files.links:
        lines.append(f"  left out  symbolic links: {', '.join(files.links)}")
    return printable("\n".join(lines))


def got_document(got: Got) -> dict[str, object]:
    about = got.described
    return {
        "name": got.target.shown,
        "function": about.function,
        "arn": about.arn,
        "version": about.version,
        "handler": about.handler,
        "runtime": about.runtime,
        "architecture": about.architecture,
        "memory": about.memory,
        "timeout": about.timeout,
        "layers": list(about.layers),
        "folder": str(got.folder),
        "files": got.unpacked.files,
        "bytes": got.unpacked.bytes,
        "links": list(got.unpacked.links),
    }
