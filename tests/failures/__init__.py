"""Every way in which a deploy is known to fail: what is told, which status, and what was kept.

The numbers are those of the table of failures that the project was planned with. Where each is:

| rows | module |
|---|---|
| 1 to 4: lease, fence, order, a run that died | test_turns |
| 5, 6, 7, 9, 10, 20, 22, 28, 34: calls that AWS refuses for ever | test_refused |
| 8, 11, 12, 29, 30: a first deploy, and the end of a site | test_first |
| 11, 13, 21, 22, 24, 26, 27: what is there in part, not ours, or not heard | test_stored |
| 14 to 19: rollouts | test_rollouts |
| 31, 32: before any call, and the machine itself | test_machine |

Row 23, replicas of Lambda@Edge that cannot be deleted yet, does not apply: nothing of ours runs at
Lambda@Edge. Row 25, what was deleted by hand, is for the tests of drift; row 33, GitHub being down
for a comment, for those of what is told to GitHub.

Codes that have other names in this program than in that table: JAM-BUSY for its JAM-LOCKED,
JAM-LEASE-LOST for JAM-FENCED, JAM-ALARM-RED for JAM-ALARM-PREEXISTING, JAM-ROLLOUT-BUSY for
JAM-CANARY-BUSY, JAM-AWS-DOWN and JAM-ENDPOINT for an outage (JAM-REGION is a region that the
account has not enabled); an alias that was moved by hand ends its rollout as JAM-ROLLED-BACK.
"""
