"""Who is let through to one function: its own section, then the common one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from runner.config.admission import NONE
from runner.model import Admission, Authorizer

if TYPE_CHECKING:
    from runner.package.functions.settings import FunctionSettings


def admission(
    own: FunctionSettings, common: FunctionSettings, authorizers: Mapping[str, Authorizer]
) -> Admission:
    """`authorizers` has all that are named: `runner.config` refuses the others.

    Scopes belong to the section that names the authorizer, or to a nearer one.
    """
    name = own.authorizer or common.authorizer or NONE
    authorizer = None if name == NONE else authorizers[name]
    inherited = common.scopes if own.authorizer in (None, common.authorizer) else ()
    scopes = inherited if own.scopes is None else own.scopes
    rate, burst = own.throttle or common.throttle or (None, None)
    return Admission(
        authorizer=authorizer,
        scopes=tuple(sorted({*(scopes or ())})) if authorizer else (),
        rate=rate,
        burst=burst,
    )
