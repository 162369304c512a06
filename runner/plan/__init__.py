"""What has to happen, as data: `decide.plan(release, live, ...)`. Pure: no network, no clock."""
