"""What previews of a site share, made with production's rights, ahead of the first pull request.

Where workflows deploy previews with a role of their own: that one may write no role, so whatever
needs one is made by production's deploy. What goes wrong here is told, and harms no release.
"""

from __future__ import annotations

import hashlib

from runner.aws import beside, documents, preview_rights, records, roles
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.config.load import Config
from runner.config.previews import functions_of_preview
from runner.errors import JamError
from runner.model import Grants
from runner.names import PREVIEW_ROLE, Names
from runner.shared import let_in, shared, shared_foundation
from runner.world import World

DAY = 86_400  # seconds
AGAIN = (
    "previews: what they share is there now; let an administrator run `jam-deploy bootstrap` once "
    f"more, which lets the role {PREVIEW_ROLE} write their key value store: AWS has just named it"
)


def prepare(
    config: Config, world: World, *, aws: Aws, names: Names, done: str, again: bool
) -> None:
    """Nothing where the account has no role for previews, which is asked once a day; nor where
    `done`, of production's record, is what would be done, unless all is looked at `again`."""
    try:
        wish = _wish(config, names)
        without = f"{wish} {int(world.now()) // DAY}"
        if done in (wish, without) and not again:
            return
        with explained():
            there = roles.find(aws, PREVIEW_ROLE) is not None
            if there:
                _prepared(config, world, aws=aws, names=names)
            now = wish if there else without
            if now != done and (there or not again):
                beside.note_ahead(aws, names, wish=now)
    except JamError as error:
        world.watcher.note(f"previews: {error.code}: {error.message}; {error.hint}")


def _prepared(config: Config, world: World, *, aws: Aws, names: Names) -> None:
    wanted = grants_of(config)
    found = records.read(aws, names.previews, release="")
    before = found[0] if found else Environment()
    tier = shared(config, world, aws=aws, names=names, there=before, lets_go=True)
    preview_rights.allow_all(aws, names, grants=wanted)
    let_in(aws, names, before, say=world.watcher.note)
    if tier.environment.release and not before.release:
        world.watcher.note(AGAIN)


def _wish(config: Config, names: Names) -> str:
    """What is prepared, as a digest."""
    rights = documents.compact(documents.beside((grants_of(config),), names))
    text = f"{shared_foundation(config, names).digest}\0{rights}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def grants_of(config: Config) -> Grants:
    """What functions of previews may ask for by these settings, beside what all of them have.

    Raises JamError `JAM-PREVIEW-SECRETS` where previews lack secrets of their own.
    """
    functions = functions_of_preview(config.settings)
    sections = (functions, *functions.named.values())
    secrets = {item for each in sections for item in each.secrets.items()}
    return Grants(
        secrets=tuple(sorted((name, text.removeprefix("ssm:")) for name, text in secrets)),
        tracing=any(each.tracing for each in sections),
        network=any(each.subnets for each in sections),
    )
