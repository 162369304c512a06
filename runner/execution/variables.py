"""The environment of a function's process, as Lambda sets it. Pure: nothing of ours leaks in.

Source: Lambda developer guide, "Working with Lambda environment variables", "Defined runtime
environment variables".
"""

from __future__ import annotations

from pathlib import Path

from runner.execution.program import Program

# A function's own configuration may not set these. Source: the same page, "Reserved".
RESERVED = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
})  # fmt: skip


def variables(
    program: Program, stream: str, *, runtime_api: str, runtime_dir: Path, extra: dict[str, str]
) -> dict[str, str]:
    """All variables of one execution environment. `extra` has credentials and endpoint."""
    task = str(program.folder)
    unreserved = {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": f"{task}:{task}/lib:/opt/lib",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    }
    reserved = {
        "_HANDLER": program.handler,
        "AWS_REGION": program.region,
        "AWS_DEFAULT_REGION": program.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{program.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": program.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(program.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": program.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": program.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_LOG_FORMAT": program.log_format,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": task,
        "LAMBDA_RUNTIME_DIR": str(runtime_dir),
    }
    node_path = "/opt/nodejs/node_modules" if program.runtime.startswith("nodejs") else ""
    special = {"NODE_PATH": node_path} if node_path else {}
    return {**unreserved, **special, **extra, **dict(program.environment), **reserved}
