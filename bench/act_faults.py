"""Rounds of attendants told to the real system while its processes are killed.

The supervisor with everything that it starts, on embedded servers. Each terminal has a person with
a shift, bays of its own and bills to be paid; its clock is wrong by up to ten minutes and it does
not always know by how much. Its acts are of every kind that a terminal can tell, in turns of a
vehicle each (`tests.faults.turns`), some with photos. It works without a line, sends its queue one
to five times, cut and shuffled, with what was sent before; answers are lost, devices die after
sending, some are wiped before anybody heard of an act; SIGKILL at seeded moments. In the end every
act, stay, bill, photo, report, payment, account, shift and terminal's day is held against what
follows from what was done (`tests.faults.standing`, which knows none of our rules' code): one
effect an act, gaps told as they are, shifts that balance. `tests/faults` runs a short one.

Example
-------
``python -m bench.act_faults --terminals 100 --acts 1000 --kills 40``
"""

import argparse
import json
import os
import sys

from tests.faults.installation import Installation
from tests.faults.round_ordeal import KINDS, RoundOutcome, endure_rounds

SEED = 20260302


def result(outcome: RoundOutcome, seed: int) -> dict[str, object]:
    """Give the figures of a run."""
    books = outcome.books
    return {
        "acts": outcome.acts,
        "seed": seed,
        "known_to_be_kept": outcome.done,
        "sent": outcome.sent,
        "kills": sum(outcome.kills.values()),
        "kills_by_process": dict(sorted(outcome.kills.items())),
        "requests_by_status": {str(key): each for key, each in sorted(outcome.statuses.items())},
        "strange_answers": len(outcome.strange),
        **dict(sorted(books.counts.items())),
        "wrong_acts": len(books.wrong_acts),
        "wrong_times": len(books.wrong_times),
        "answered_as_new_twice": len(books.twice),
        "wrong_counts_of_gaps": len(books.wrong_counts),
        "wrong_effects": len(books.wrong_effects),
        "wrong_bills": len(books.wrong_bills),
        "wrong_photos": len(books.wrong_photos),
        "wrong_accounts_shifts_or_days": len(books.wrong_money),
        "seconds_by_part": {name: round(value, 1) for name, value in outcome.seconds.items()},
        "load_average": [round(each, 1) for each in os.getloadavg()],
    }


def main() -> int:
    """Print the figures; fail where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, default=100)
    parser.add_argument("--acts", type=int, default=1_000, help="of each terminal")
    parser.add_argument("--kills", type=int, default=4 * len(KINDS))
    parser.add_argument("--senders", type=int, default=8, help="terminals that send at once")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    installation = Installation()
    try:
        installation.start()
        outcome = endure_rounds(
            installation,
            options.terminals,
            options.acts,
            options.kills,
            options.senders,
            options.seed,
        )
        problems = outcome.books.problems()
        broken = bool(problems or outcome.strange or outcome.done != outcome.acts)
        if broken:
            print(
                json.dumps([problems[:20], outcome.strange[:5]], indent=1),
                installation.logs(),
                sep="\n",
                file=sys.stderr,
            )
    finally:
        installation.close()
    print(json.dumps(result(outcome, options.seed)))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
