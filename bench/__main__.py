"""Run every benchmark, or those named, and keep what they print in ``bench/results/``.

Example
-------
``python -m bench`` for all, ``python -m bench fold decode`` for two.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
TIMEOUT_S = 1800


def main(names: list[str]) -> int:
    """Run the benchmarks one after the other, never at once: they would measure each other."""
    known = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names or known:
        try:
            done = subprocess.run(
                [sys.executable, "-m", f"bench.{name}"],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            failed += 1
            print(f"{name}: not over after {TIMEOUT_S} s", file=sys.stderr)
            continue
        if done.returncode:
            failed += 1
            print(f"{name}: failed\n{done.stderr.strip()}", file=sys.stderr)
            continue
        result = json.loads(done.stdout)
        (FOLDER / "results" / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(json.dumps({"bench": name, **result}))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
