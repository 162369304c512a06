"""Hostile visitors: what router, response function and entry must hold against, and proof of it."""
