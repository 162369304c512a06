"""A site at work: what is live, what its functions log, their code, a call by hand."""
