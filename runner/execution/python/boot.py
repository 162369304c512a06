"""Starts AWS's own runtime client in a clean interpreter; runs on every Python that Lambda has.

Run with `-S -X utf8`: the site-packages of whoever started us are no business of the function's.
Imports nothing of this project: it is another program.
"""

import _sitebuiltins
import builtins
import os
import sys

# `-S` leaves these out, Lambda has them.
builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D")
builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D")

variables = os.environ  # noqa: TID251 -- this process is the function's own
here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 -- pathlib costs 8 ms
stdlib = [entry for entry in sys.path[1:] if entry]
# Lambda's order: the function's own folder, then the runtime's (with boto3). Ours comes last: the
# compiled client wins where it fits this interpreter.
sys.path[:] = [
    variables["LAMBDA_TASK_ROOT"],
    "/opt/python",
    variables["LAMBDA_RUNTIME_DIR"],
    *stdlib,
    here,
]
sys.dont_write_bytecode = True  # /var/task cannot be written to

from awslambdaric.__main__ import main  # noqa: E402 -- the path has to be right first

main([sys.argv[0], variables["_HANDLER"]])
