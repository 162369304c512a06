"""The keeper Lambda, which tells an HTTP API whether a request came through the distribution."""
