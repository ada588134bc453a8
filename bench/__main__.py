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
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = Path(__file__).parent
PATIENCE_S: Final = 1_800
LONG_PATIENCE_S: Final = 3 * 3_600
LONG: Final[Mapping[str, tuple[str, ...]]] = {
    "act_faults": (),
    "payment_faults": ("--bills", "100000", "--kills", "60", "--within-s", "9000"),
}
"""What takes most of an hour at its full size, with what makes it full."""


def main(names: list[str]) -> int:
    """Run the benchmarks one after the other, never at once: they would measure each other."""
    known = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names or known:
        patience_s = LONG_PATIENCE_S if name in LONG else PATIENCE_S
        try:
            done = subprocess.run(
                [sys.executable, "-m", f"bench.{name}", *LONG.get(name, ())],
                capture_output=True,
                text=True,
                timeout=patience_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            failed += 1
            print(f"{name}: not over after {patience_s} s", file=sys.stderr)
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
