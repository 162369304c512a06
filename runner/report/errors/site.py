"""Codes of status 2: what the site's author puts right. Pure data: meaning and remedy by code."""

from __future__ import annotations

SITE: dict[str, tuple[str, str]] = {
    "JAM-ALARM-ELSEWHERE": (
        "An alarm of [production.rollout] is of another region or account.",
        "Name alarms of the site's own account and region.",
    ),
    "JAM-ARCHIVE-SIZE": (
        "A function's files do not fit into one archive.",
        "An archive holds at most 65,535 files and 4 GB: ship less.",
    ),
    "JAM-ARTEFACT": (
        "What a fork's run handed on is no folder of plain files.",
        "Hand on the publish folder alone, and name it with the input `artefact`.",
    ),
    "JAM-BUILD": (
        "The site's own build failed; its last lines are shown.",
        "Run the command on your own machine with a clean checkout.",
    ),
    "JAM-BUILD-APART": (
        "The build's user could reach the run's credentials, so nothing was built.",
        "Close to other users what is named, or build in a step of its own before this one.",
    ),
    "JAM-BUILD-ENGINE": (
        "`build.image` needs a Docker engine, and none answers or it refuses.",
        "Start Docker where jam-deploy runs, or leave `build.image` out.",
    ),
    "JAM-BUILD-IMAGE": (
        "The image of `build.image` cannot be had, or has no shell.",
        "Name an image that the engine can pull, such as node:22-slim.",
    ),
    "JAM-BUILD-OUTSIDE": (
        "The build wrote outside of its publish folder.",
        "Write to the publish folder, name generated files in .gitignore, or commit them.",
    ),
    "JAM-DEV-SECRET": (
        "`dev` cannot read a secret of a function's from Parameter Store.",
        "Write it into the `.env` beside the function, or sign in to AWS.",
    ),
    "JAM-DRILL-SITE": (
        "A drill takes down all that it finds of its site, so it takes no other's name.",
        "Leave --site out, or give one that begins with jam-drill.",
    ),
    "JAM-DURATION": ("A span of time cannot be read.", "Write 90s, 10m, 2h or 1d."),
    "JAM-ENV": (
        "A function's environment is one that Lambda refuses (over 4 KB, reserved names), or names "
        "variables that are not set. Nothing was sent to AWS.",
        "Correct `.env` files or `environment` in jam.toml; keep long values in Parameter Store.",
    ),
    "JAM-ENVIRONMENT": (
        "`destroy` was told an environment that no site has.",
        "`--environment production`, `previews` or a pull request's (`pr-7`); or `--all`.",
    ),
    "JAM-EVENT": (
        "The event for `invoke` is no JSON value.",
        "Give a file with one JSON value, or - for standard input.",
    ),
    "JAM-EVENT-COMMAND": (
        "The action was told a command that there is not.", "The hint lists those there are."
    ),
    "JAM-EVENT-UNKNOWN": (
        "The event says nothing to do.", "Run on push, pull_request, schedule, workflow_dispatch."
    ),
    "JAM-EVENT-UNSAFE": (
        "Nothing is built on this event: strangers could start it.", "Use pull_request."
    ),
    "JAM-REPOSITORY": (
        "What `bootstrap --repository` names is no repository.", "Write owner/name."
    ),
    "JAM-FINGERPRINT": (
        "A file that browsers keep for a year was released before with other bytes.",
        "Let the bundler hash contents into names, or take the file off `immutable`.",
    ),
    "JAM-FOLDER-NOT-EMPTY": (
        "`get` overwrites nothing of yours.", "Name a new or an empty folder."
    ),
    "JAM-FUNCTION-AMBIGUOUS": (
        "A part of a name fits several functions.", "Give more of the name."
    ),
    "JAM-FUNCTION-BUNDLE": (
        "Functions cannot be bundled.", "Correct the places that are named, all at once."
    ),
    "JAM-FUNCTION-CLASH": (
        "Two files would be one function, one route, or one file of an archive.",
        "Rename one of them, or leave it out of `included_files`.",
    ),
    "JAM-FUNCTION-CONFIG": (
        "A function exports a `config` that cannot be.",
        "Plain values, as in [functions.NAME] of jam.toml.",
    ),
    "JAM-FUNCTION-DEPENDENCIES": (
        "Packages of a function are missing, cannot be installed or disagree with their lock file.",
        "Name them in package.json or requirements.txt, install, commit the lock file.",
    ),
    "JAM-FUNCTION-EXISTS": ("There is a function of that name.", "Take another name."),
    "JAM-FUNCTION-FAILED": (
        "The function that `invoke` called failed.", "`jam-deploy logs` has all its lines."
    ),
    "JAM-FUNCTION-FAILS": (
        "A changed function failed before it went live. Nothing was switched.",
        "Its last words are in the hint; correct it and push again.",
    ),
    "JAM-FUNCTION-FILE": (
        "A file below the functions folder can be no function.",
        "Files that are none begin with `_` or lie in `lib/`.",
    ),
    "JAM-FUNCTION-HANDLER": (
        "A function does not say what to run.", "`export const handler = async (event) => …`."
    ),
    "JAM-FUNCTION-IMAGE": (
        "A function that is a container image has no archive to fetch.",
        "Pull the image from its registry.",
    ),
    "JAM-FUNCTION-NAME": (
        "No name for a function.",
        "No `_` at the beginning, no `lib/`, no `.test` or `.config` at the end.",
    ),
    "JAM-FUNCTION-NATIVE": (
        "A native package has no build for the function's architecture.",
        "Choose a version that has one, or the architecture that it is built for.",
    ),
    "JAM-FUNCTION-PYTHON": (
        "A Python function cannot run.", "`def handler(event, context):` at the top of the file."
    ),
    "JAM-FUNCTION-SETTINGS": (
        "Functions have settings that cannot be.", "Correct them in jam.toml or in their `config`."
    ),
    "JAM-FUNCTION-SIZE": (
        "A function unpacks to more than Lambda takes (250 MB).",
        "Leave out what it does not need, or keep what is large in S3 or a layer.",
    ),
    "JAM-FUNCTION-TRACE": (
        "The packages of a function cannot be traced.",
        "Name them under `external`: they are then shipped whole.",
    ),
    "JAM-FUNCTION-UNKNOWN": ("The site has no such function.", "The hint lists those it has."),
    "JAM-HEADERS": ("_headers has lines that cannot be served.", "Each line says what is wrong."),
    "JAM-HEADERS-SIZE": (
        "A file's headers are more than CloudFront sends.", "Shorten the largest in _headers."
    ),
    "JAM-INPUT": (
        "An input of the action is not as it should be.", "Correct `with:` in the workflow."
    ),
    "JAM-PORT-TAKEN": ("A port cannot be listened on.", "Choose another with --port."),
    "JAM-PREVIEW-PASSWORD": (
        "`[preview] password` names a variable that is not set.",
        "Set it where jam-deploy runs, or leave the setting out: one is made up then.",
    ),
    "JAM-PREVIEW-SECRETS": (
        "Functions need secrets, and previews do not get production's.",
        "Name previews' own under [preview.secrets].",
    ),
    "JAM-PUBLISH": (
        "The publish folder is missing, empty, or outside of the site.",
        "Set build.publish to the folder that the build writes to.",
    ),
    "JAM-REDIRECT-CONDITION": (
        "A forced rule of _redirects has a condition and would hide a file.",
        "Drop the condition or the `!`, or rename the file.",
    ),
    "JAM-REDIRECTS": ("_redirects has rules that cannot be.", "Each line says what to write."),
    "JAM-ROLLBACK-NOTHING": (
        "There is nothing to go back to, or nothing is live.", "`jam-deploy releases` lists all."
    ),
    "JAM-ROLLBACK-UNKNOWN": (
        "No kept release, or several, begin with what was named.", "The hint lists them."
    ),
    "JAM-ROUTE-CLASH": (
        "Two files of the site would answer the same URL.",
        "Keep one of about, about.html and about/index.html.",
    ),
    "JAM-ROUTE-LENGTH": ("A path is too long to be stored.", "Shorten it."),
    "JAM-SECRET-FILE": (
        "The publish folder has a file that must not be public.",
        "Take it out, and replace a credential that was ever published; a harmless one may be "
        "named in build.allow.",
    ),
    "JAM-SECRET-MISSING": (
        "Secrets of functions do not exist. Nothing was written.",
        "aws ssm put-parameter --type SecureString.",
    ),
    "JAM-SETTINGS": (
        "jam.toml cannot be read, or is wrong in the places that are named.",
        "All of them are listed at once, with their lines.",
    ),
    "JAM-SITE-TOO-LARGE": ("The site has too many files or bytes.", "Publish less."),
    "JAM-STATE-UNUSABLE": (
        "The state folder of the embedded cloud cannot be used.", "Name another with --state."
    ),
    "JAM-TABLE-CHANGE": (
        "A table cannot be changed so. Nothing was written.",
        "Give what is new another name and move the data, or undo the change.",
    ),
    "JAM-TABLE-UNKNOWN": (
        "`destroy --with-tables` names a table that production has not. Nothing was removed.",
        "Name it as the hint lists it; tables that are not named stay with their data.",
    ),
    "JAM-TOOLCHAIN": (
        "Node or npm cannot be used.", "Install jam-deploy anew; the hint says what is missing."
    ),
    "JAM-UNSAFE-FILE": (
        "The publish folder has links or devices, changed while it was read, or a file is closed.",
        "Have the build copy files, and wait for all its processes.",
    ),
    "JAM-USAGE": (
        "An option or argument is unknown, missing or of the wrong form. Nothing was done.",
        "`jam-deploy COMMAND --help` says what it takes.",
    ),
}  # fmt: skip
