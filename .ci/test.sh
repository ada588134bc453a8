#!/usr/bin/env bash
# The tests; beside them, on what they leave idle, what can be known without running the system.
set -uo pipefail
cd "$(dirname "$0")/.."
said=$(mktemp)
set -m  # the checks are a group of their own, so that an interrupt ends all of them
{
  if nice -n 19 bash .ci/check.sh >"$said" 2>&1; then
    echo "Lint, types, import rules and the pages' own checks: passed"
  else
    cat "$said"
    exit 1
  fi
} &
checks=$!
trap 'kill -- "-$checks" 2>/dev/null; rm -f "$said"' EXIT
tested=0
.venv/bin/python -m pytest "$@" || tested=$?
checked=0
wait "$checks" || checked=$?
[ "$checked" = 0 ] || { echo "The checks failed:" && cat "$said"; } >&2
exit $((tested != 0 ? tested : checked))
