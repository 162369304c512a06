"""The guard Lambda: judges a candidate, and settles a rollout when no runner is there."""
