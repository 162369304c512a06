"""Takes a preview out of the store, by names that are known: the store holds all previews'."""

from __future__ import annotations

from collections.abc import Iterator

from runner.apply import Fence, unfenced
from runner.aws import keyvalues, pool, previews
from runner.aws.preview_records import Known
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.names import Names
from runner.together import at_once

AT_ONCE = 16


def hide(
    aws: Aws, names: Names, store: str, *, there: Known, sure: bool, fence: Fence = unfenced
) -> None:
    """No host shows the preview any more; its releases' routing goes as well.

    Unless it is `sure` that the record tells all, everything in the store is looked at.
    """
    with tolerating("ResourceNotFoundException"):  # the store is gone, and every key with it
        if not sure:
            previews.hide(aws, names, store)
            return
        wanted = sorted(set(_keys(aws, names, there)))
        with at_once(AT_ONCE) as workers:
            found = workers.map(lambda key: keyvalues.get(aws, store, key=key), wanted)
            stand = [key for key, value in zip(wanted, found, strict=True) if value is not None]
        keyvalues.drop(aws, store, keys=stand, fence=fence)


def _keys(aws: Aws, names: Names, there: Known) -> Iterator[str]:
    host = pool.taken_by(aws, names)
    for each in {there.host, host.domain if host else ""} - {""}:
        yield previews.host_key(each)
        for release in there.releases:
            yield previews.host_key(previews.commit_host(each, release))
    for release in there.releases:
        yield f"r/{names.environment}/{release}"
