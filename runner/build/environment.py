"""The environment that a site's build sees: an allow-list, never ours.

Pure: the surrounding environment comes in as a mapping. No credential of AWS or GitHub, no input of
the action and no file command of the runner is on the list, so none can reach a postinstall script.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

ALLOWED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ"),
        *("LANG", "LANGUAGE", "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR"),
        *("CI", "NODE_ENV", "NODE_OPTIONS"),
        # How to reach a registry from behind a company's proxy or certificate authority.
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"),
        *("PIP_CERT", "PIP_INDEX_URL", "NPM_CONFIG_REGISTRY", "npm_config_registry"),
    }
)
ALLOWED_PREFIXES = ("LC_",)


def for_build(
    surrounding: Mapping[str, str],
    *,
    site: Mapping[str, str],
    jam_environment: str,
    url: str,
    commit: str,
    node: Path | None = None,
    cache: Path | None = None,
) -> dict[str, str]:
    """What the install and build commands get.

    `site` is `build.environment` with its references resolved: it wins over what surrounds us, and
    our own `JAM_*` win over it. `node` is the folder of a Node to fall back on: it comes last in
    PATH, because a site that brings its own Node must be built by it. `cache` is a folder for
    package caches that outlives the run.
    """
    kept = {name: value for name, value in surrounding.items() if is_allowed(name)}
    ours = {"JAM_ENVIRONMENT": jam_environment, "JAM_URL": url, "JAM_COMMIT": commit}
    merged = {"CI": "true"} | kept | caches(cache) | dict(site) | ours
    if node is not None:
        merged["PATH"] = os.pathsep.join(filter(None, [merged.get("PATH", ""), str(node)]))
    return merged


def is_allowed(name: str) -> bool:
    """Whether a variable of ours may reach the build."""
    return name in ALLOWED or name.startswith(ALLOWED_PREFIXES)


def caches(folder: Path | None) -> dict[str, str]:
    """Where each package manager keeps what it downloaded; its own default without a folder."""
    if folder is None:
        return {}
    return {
        "npm_config_cache": str(folder / "npm"),
        "pnpm_config_store_dir": str(folder / "pnpm"),
        "YARN_CACHE_FOLDER": str(folder / "yarn"),
        "BUN_INSTALL_CACHE_DIR": str(folder / "bun"),
        "PIP_CACHE_DIR": str(folder / "pip"),
        "UV_CACHE_DIR": str(folder / "uv"),
    }
