#!/bin/sh
# Pins every dependency with hashes, for Python 3.11 and newer on any platform. Needs `uv` on the PATH.
set -eu
cd "$(dirname "$0")/.."
lock() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate requirements/build.in pyproject.toml "$@"
}
lock --output-file requirements/runtime.txt
lock --group dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
