"""Says what a configuration is and where each value comes from: the head of `plan`. Pure."""

from __future__ import annotations

from runner.config.load import Config


def explain(config: Config) -> tuple[str, ...]:
    """One line a value: name, value, reason."""
    framework = config.detected.why["framework"]
    rows = [("framework", config.detected.framework or "none", f"detected: {framework}")]
    rows += [(name, value, config.provenance[name]) for name, value in _values(config)]
    names = max(len(name) for name, _, _ in rows)
    values = max(len(value) for _, value, _ in rows)
    return tuple(f"{name:<{names}}  {value:<{values}}  {why}" for name, value, why in rows)


def _values(config: Config) -> list[tuple[str, str]]:
    return [
        ("site", config.site),
        ("region", config.region),
        ("install", config.install or "-"),
        ("command", config.command or "-"),
        ("publish", config.publish),
        ("functions", config.functions),
        ("spa", "yes" if config.spa else "no"),
    ]
