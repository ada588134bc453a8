#!/usr/bin/env bash
# What can be known without running the system: lint, format, types, import rules, the front end's own checks.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
"$bin/ruff" check
"$bin/ruff" format --check --quiet
# The pages are checked beside Python's types: each keeps one core busy.
(
  cd web/frontend
  # Node from pip, where the set-up had to take it.
  [ -x "../../$bin/npm" ] && export PATH="$PWD/../../$bin:$PATH"
  npm run --silent check
  npm test --silent
) &
pages=$!
typed=0
{ "$bin/mypy" && "$bin/lint-imports"; } || typed=$?
wait "$pages"
exit "$typed"
