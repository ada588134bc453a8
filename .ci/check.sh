#!/usr/bin/env bash
# What can be known without running the system: lint, format, types, import rules, the front end's own checks.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
"$bin/ruff" check
"$bin/ruff" format --check --quiet
"$bin/mypy"
"$bin/lint-imports"
# Node from pip, where the set-up had to take it.
[ -x "$bin/npm" ] && export PATH="$PWD/$bin:$PATH"
cd web/frontend
npm run --silent check
npm test --silent
