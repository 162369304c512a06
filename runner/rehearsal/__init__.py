"""Rehearsals: a site's story and its rollouts, played on an embedded cloud with visitors."""
