"""Uplinks sent at the real system while its processes are killed: what is lost, what differs.

The supervisor with everything that it starts, on embedded servers; network servers that send again
what was not answered (webhooks in batches, MQTT with QoS 1); SIGKILL at random moments. In the end
archive, histories, live state, stays and counts are held against a fold of all frames sorted by
(event time, session, counter or message id). `tests/faults` runs a short one of these.

Example
-------
``python -m bench.faults --uplinks 100000 --bays 4000 --kills 60``
"""

import argparse
import json
import sys
import time
from collections import Counter

from tests.faults.installation import Installation
from tests.faults.ordeal import Outcome, endure

SEED = 20260302


def result(
    outcome: Outcome, leaks: list[str], started_s: float, stopped_s: float
) -> dict[str, object]:
    """Give the figures of a run."""
    found, ledger = outcome.findings, outcome.ledger
    ways = Counter(sending.frame.sensor.way for sending in outcome.traffic.sendings)
    models = Counter(sending.frame.sensor.model for sending in outcome.traffic.sendings)
    sending_s = outcome.seconds["sending"]
    return {
        "uplinks": len(outcome.traffic.sendings),
        "frames": len(outcome.traffic.frames),
        "bays": len(outcome.town.bays),
        "devices": len(outcome.town.sensors()),
        "by_way": dict(ways),
        "by_model": dict(models),
        "kills": sum(outcome.kills.values()),
        "kills_by_process": dict(sorted(outcome.kills.items())),
        "answered": ledger.done,
        "requests_by_status": dict(ledger.statuses),
        "archived": found.archived,
        "changes": found.changes,
        "stays": found.kept_stays,
        "lost": len(found.lost),
        "invented": len(found.invented),
        "differing_bays": len(found.states),
        "differing_histories": len(found.histories),
        "differing_stays": len(found.stays),
        "differing_counts": len(found.counts),
        "misplaced": len(found.positions),
        "strange_answers": len(ledger.strange),
        "leaks": len(leaks),
        "seconds": round(sending_s + outcome.seconds["draining"], 1),
        "seconds_by_part": {
            "starting": round(started_s, 1),
            **{name: round(value, 1) for name, value in outcome.seconds.items()},
            "stopping": round(stopped_s, 1),
        },
        "uplinks_a_second": round(len(outcome.traffic.sendings) / sending_s),
    }


def main() -> int:
    """Print the figures; fail where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uplinks", type=int, default=100_000)
    parser.add_argument("--bays", type=int, default=4_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--senders", type=int, default=6)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    installation = Installation()
    try:
        begun = time.monotonic()
        installation.start()
        started_s = time.monotonic() - begun
        outcome = endure(
            installation,
            uplinks=options.uplinks,
            bays=options.bays,
            kills=options.kills,
            senders=options.senders,
            seed=options.seed,
        )
        begun = time.monotonic()
        status = installation.stop()
        stopped_s = time.monotonic() - begun
        leaks = installation.leaks()
        if status:
            leaks.append(f"the supervisor ended with status {status}")
        problems = outcome.findings.problems()
        broken = bool(problems or leaks or outcome.ledger.strange)
        if broken:
            print(
                json.dumps([problems, leaks, outcome.ledger.strange[:5]], indent=1),
                installation.logs(),
                sep="\n",
                file=sys.stderr,
            )
    finally:
        installation.close()
    print(json.dumps(result(outcome, leaks, started_s, stopped_s)))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
