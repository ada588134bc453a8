"""Measures from controller events: ours from file to JSON, beside the peer ``atspm``, one core.

``python -m bench.measures``: invented junctions over a day, as Parquet and as CSV; the peer runs
in the interpreter that ``GREENBAY_PEERS`` names (or ``.venv-peers``), on the same file in the
same run. Seconds of ours are of the whole command, its start-up included; the peer's are of its
loading and counting alone.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from bench._events import config_rows, junctions

DEVICES, HOURS = 4, 12.0
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print and keep the figures."""
    one_core = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        parquet, csv, config = write(Path(folder), DEVICES, HOURS)
        result: dict[str, object] = {}
        for name, file in (("parquet", parquet), ("csv", csv)):
            begun_s = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "signals", "measures", file, "--config", config],
                env=one_core, cwd=ROOT, capture_output=True, check=True,
            )  # fmt: skip
            seconds = time.perf_counter() - begun_s
            events = json.loads(done.stdout)["events"]
            result[name] = {
                "events": events,
                "seconds": round(seconds, 2),
                "events_per_s": round(events / seconds),
            }
        result["atspm"] = peer(parquet, config, Path(folder) / "peer.json")
    print(json.dumps(result, indent=1))


def write(folder: Path, devices: int, hours: float) -> tuple[str, str, str]:
    """Write events as Parquet and CSV, and the configuration; give their names."""
    at_us, device, code, parameter = junctions(devices, hours)
    known = {"at_us": at_us, "device": device, "code": code, "parameter": parameter}
    names = [str(folder / name) for name in ("events.parquet", "events.csv", "config.csv")]
    with duckdb.connect() as connection:
        connection.register("told", known)
        connection.execute(
            "CREATE TABLE events AS SELECT make_timestamp(at_us) AS TimeStamp, device AS DeviceId,"
            " code AS EventId, parameter AS Parameter FROM told"
        )
        connection.execute(f"COPY events TO '{names[0]}' (FORMAT parquet)")
        connection.execute(f"COPY events TO '{names[1]}' (FORMAT csv, HEADER)")
    lines = [",".join(map(str, row)) for row in config_rows(devices)]
    text = "\n".join(("DeviceId,Phase,Parameter,Function", *lines, ""))
    Path(names[2]).write_text(text, encoding="utf-8")
    return names[0], names[1], names[2]


def peer(events: str, config: str, out: Path) -> dict[str, object]:
    """Run the peer on the same file, or say why not."""
    python = Path(os.environ.get("GREENBAY_PEERS", ROOT / ".venv-peers" / "bin" / "python"))
    if not python.exists():
        return {"skipped": "the peers' Python is not installed"}
    done = subprocess.run(
        [str(python), str(ROOT / "bench" / "_atspm.py"), events, config, str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return {"failed": done.stderr[-300:]}
    seconds = json.loads(out.read_text(encoding="utf-8"))["seconds"]
    return {"seconds": round(seconds, 2)}


if __name__ == "__main__":
    main()
