#!/usr/bin/env bash
# Makes the virtual environment, saying exactly what is missing where it cannot.
set -euo pipefail
python=$1
venv=$2
"$python" - <<'PY' || { echo "Greenbay needs Python 3.11 or newer: set PYTHON=/path/to/python3" >&2; exit 1; }
import sys
raise SystemExit(sys.version_info < (3, 11))
PY
if "$python" -m venv "$venv" 2>/dev/null; then exit 0; fi
# Debian ships venv apart from Python itself.
rm -rf "$venv"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing python3-venv ..."
  apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv >/dev/null
  exec "$python" -m venv "$venv"
fi
echo "Python's venv module is missing: sudo apt-get install python3-venv" >&2
exit 1
