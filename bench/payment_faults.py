"""Bills paid at the real system while its processes and the gateway are killed.

The supervisor with everything that it starts, on embedded servers, and `python -m payments gateway`
with a journal beside it. Payers open orders at three channels over HTTP, press the button, pay
twice through two channels, pay cash as well, leave orders unpaid; the finance desk gives parts
back. Every attempt of a notification goes out three times, shuffled and delayed; one
acknowledgement in five is lost, one request in thirty fails, some amounts and signatures are
wrong; SIGKILL at seeded moments. In the end every order, bill and account is held against sums of
what the channels hold: no fen may be lost, none taken twice. `tests/faults` runs a short one.

Example
-------
``python -m bench.payment_faults --bills 100000 --kills 60``
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.faults.channel_gateway import ChannelGateway
from tests.faults.installation import Installation
from tests.faults.paying_ordeal import (
    FAULTS,
    KINDS,
    PAY_PATIENCE_S,
    PaymentOutcome,
    endure_payments,
)

SEED = 20260302
SPEED = 400.0


def result(outcome: PaymentOutcome, seed: int) -> dict[str, object]:
    """Give the figures of a run."""
    books, told = outcome.books, outcome.notifications
    return {
        "bills": outcome.bills,
        "seed": seed,
        "answered": outcome.done,
        "deliveries": told["sent"],
        "deliveries_that_the_channel_knows_taken": told["taken"],
        "kills": sum(outcome.kills.values()),
        "kills_by_process": dict(sorted(outcome.kills.items())),
        "requests_by_status": dict(sorted(outcome.statuses.items())),
        "strange_answers": len(outcome.strange),
        "janitor_asked": outcome.asked,
        **books.counts,
        "sums_minor": books.sums_minor,
        "unended": len(books.unended),
        "differing_orders": len(books.differing),
        "wrong_bills": len(books.wrong_bills),
        "wrong_cards": len(books.wrong_cards),
        "wrong_accounts": len(books.accounts),
        "unbalanced_entries": books.unbalanced,
        "seconds_by_part": {name: round(value, 1) for name, value in outcome.seconds.items()},
        "bills_a_second": round(outcome.bills / outcome.seconds["paying"], 1),
        "bills_a_second_while_the_api_answers": round(
            outcome.bills / max(1.0, outcome.seconds["answering"]), 1
        ),
    }


def main() -> int:
    """Print the figures; fail where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bills", type=int, default=1_200)
    parser.add_argument("--kills", type=int, default=28)
    parser.add_argument("--payers", type=int, default=16)
    parser.add_argument(
        "--within-s", type=float, default=PAY_PATIENCE_S, help="begin no bill after these seconds"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="greenbay-bench-") as folder:
        gateway = ChannelGateway(Path(folder), FAULTS.format(seed=options.seed), SPEED)
        gateway.start()
        installation = Installation({"PAYMENT_CHANNELS": str(gateway.document)})
        try:
            installation.start()
            outcome = endure_payments(
                installation,
                gateway,
                options.bills,
                options.kills,
                options.payers,
                options.seed,
                ("supervisor", *KINDS),
                options.within_s,
            )
            problems = outcome.books.problems()
            broken = bool(problems or outcome.strange)
            if broken:
                print(
                    json.dumps([problems, outcome.strange[:5]], indent=1),
                    installation.logs(),
                    sep="\n",
                    file=sys.stderr,
                )
        finally:
            installation.close()
            gateway.close()
    print(json.dumps(result(outcome, options.seed)))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
