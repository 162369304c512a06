"""Measures jam-deploy beside its peers: `python -m bench`, or one suite: `python -m bench.cold`."""
