"""The workflow that `init` writes: `.github/workflows/deploy.yml`. Pure.

Triggers, inputs and permissions are those of the action's contract; its shape is GitHub's
"Workflow syntax for GitHub Actions".
"""

from __future__ import annotations

import hashlib
import json
import re
from string import Template

WORKFLOW = ".github/workflows/deploy.yml"
_CHANGING = (
    "deploy",
    "rollback",
    "rollback --plan",
    "settle",
    "settle --promote",
    "hold",
    "unhold",
)
_OTHERS = ("status", "releases", "previews", "gc", "audit", "doctor", "destroy")
COMMANDS = (*_CHANGING, *_OTHERS)
# A tag can be moved by whoever owns it, a commit cannot; our own workflows name the same.
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"

# `$$` is a dollar sign: GitHub's own expressions pass through.
_TEXT = Template("""\
name: Deploy

on:
  pull_request:  # a preview for every pull request, removed when it is closed
    types: [opened, synchronize, reopened, closed]
  push:  # a release to production
    branches: [$branch]
  schedule:  # removes what previews and old releases left behind
    - cron: "$minute 3 * * *"
  workflow_dispatch:
    inputs:
      command:
        description: What to do
        type: choice
        default: deploy
        options:
          [$changing,
          $others]
      release:
        description: The release to roll back to; without one, the release before the live one
        type: string
        default: ""

# One run at a time in an environment; all others wait, none is dropped or cancelled half-way: a
# dropped run of a closed pull request would leave its preview behind. A rollback waits for nobody.
concurrency:
  group: >-
    jam-$site-$${{ github.event_name == 'pull_request'
    && format('preview-{0}', github.event.pull_request.number)
    || inputs.command == 'rollback' && 'rollback' || 'production' }}
  cancel-in-progress: false
  queue: max

permissions: {}

jobs:
  deploy:
    runs-on: ubuntu-latest
    permissions:
      contents: read        # checks the repository out
      id-token: write       # proves to AWS which repository this is: no stored keys
      pull-requests: write  # writes the one comment with the preview's address
      deployments: write    # shows previews and releases on GitHub's pages
    environment:
      name: $${{ github.event_name == 'pull_request' && 'preview' || 'production' }}
      deployment: false  # jam-deploy makes the deployment itself, with the address in it
    steps:
      - uses: $checkout
        with:
          persist-credentials: false
      # v1 moves with every release; to look at an update first, name a release's commit instead.
      - uses: org/jam-deploy@v1 # zizmor: ignore[unpinned-uses]
        with:
          # The two roles that `jam-deploy bootstrap` made, as variables of the repository.
          role-to-assume: >-
            $${{ github.event_name == 'pull_request'
            && vars.JAM_PREVIEW_ROLE || vars.JAM_PRODUCTION_ROLE }}
          command: $${{ inputs.command }}  # empty for all other events: they decide themselves
          release: $${{ inputs.release }}
""")


def workflow(site: str, branch: str) -> str:
    """The workflow for a site whose production follows `branch`."""
    return _TEXT.substitute(
        branch=json.dumps(_pattern(branch), ensure_ascii=False),
        checkout=CHECKOUT,
        changing=", ".join(_CHANGING),
        others=", ".join(_OTHERS),
        minute=_minute(site),
        site=site,
    )


def _pattern(branch: str) -> str:
    """The branch in the language of `branches`, where `+` and a leading `!` have a meaning.

    Source: docs.github.com, "Workflow syntax", filter pattern cheat sheet.
    """
    return re.sub(r"^!|\+", lambda found: f"\\{found[0]}", branch)


def _minute(site: str) -> int:
    """Spread over the hour: GitHub delays what all schedule at its beginning."""
    return int.from_bytes(hashlib.sha256(site.encode()).digest()[:2]) % 60
