"""The other name that visitors type: `www.` before a domain, or without it. Pure."""

from __future__ import annotations

from functools import cache
from typing import Any


def twin(host: str) -> str:
    """`www.example.co.uk` for `example.co.uk` and the other way round; else empty.

    A name below, such as `app.example.com`, has none: nobody types `www.app.example.com`.
    """
    domain = _suffixes().privatesuffix(host) or ""
    if host == domain:
        return f"www.{host}"
    return domain if host == f"www.{domain}" else ""


@cache
def _suffixes() -> Any:
    """Registries' suffixes alone, from the list that comes with the package."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=True)
