"""The codes of what goes wrong at GitHub. DOWN may be gone the next time, the others are not."""

DOWN = "JAM-GITHUB-DOWN"  # status 75: it did not answer, or put us off for too many requests
DENIED = "JAM-GITHUB-DENIED"  # status 5: a permission is missing; the hint is the line to add
GONE = "JAM-GITHUB-GONE"  # status 5: there is no such thing, or none that the token may see
REFUSED = "JAM-GITHUB-REFUSED"  # status 5: against GitHub's rules, which the message tells
