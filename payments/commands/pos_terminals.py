"""``pos-terminals``: register POS terminals, give them keys, lock them, see how they do."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from city.command_line import CommandLine
from city.errors import Invalid, NotFound
from city.identifiers import parse_district_code
from city.people.actors import system_actor
from city.works.command_database import command_database, who_types
from city.works.database import Database, UnitOfWork
from payments import pos_overview, pos_terminals
from payments.pos_terminals import KeyGiven
from payments.rules.pos.mac import Mac, check_value
from payments.rules.pos.terminals import Terminal, TerminalState
from payments.store import pos_terminals as terminal_store

SUMMARY: Final = "register POS terminals, give them keys, lock them, see how they do"
_EXAMPLE: Final = (
    "python -m payments pos-terminals register --terminal GB000001 "
    "--merchant 898330154110001 --name 'East gate' --district 0153"
)
_TURNS: Final = {
    "lock": TerminalState.LOCKED,
    "unlock": TerminalState.ACTIVE,
    "retire": TerminalState.RETIRED,
}
_PAGE: Final = 200


def run(arguments: Sequence[str]) -> int:
    """Do one thing; a master key is printed once and kept nowhere."""
    line = CommandLine("payments", "pos-terminals", SUMMARY, _EXAMPLE)
    line.add_argument("act", choices=["register", "key", *_TURNS, "list"])
    line.add_argument("--terminal", metavar="NO", help="field 41: eight digits or capitals")
    line.add_argument("--merchant", metavar="NO", help="field 42: fifteen digits or capitals")
    line.add_argument("--name", metavar="NAME", help="as on its label")
    line.add_argument("--district", metavar="CODE")
    line.add_argument("--mac", choices=[each.value for each in Mac], default=Mac.UNIONPAY.value)
    line.add_argument("--reason", default="", metavar="TEXT", help="why it is locked or retired")
    given = line.parse_args(arguments)
    actor = system_actor(f"command line, {who_types()}")
    with command_database() as database:
        if given.act == "list":
            _list(line, database)
            return 0
        if given.terminal is None:
            raise Invalid("names the terminal", field="--terminal")
        with database.unit_of_work() as uow:
            if given.act == "register":
                missing = [n for n in ("merchant", "name", "district") if not getattr(given, n)]
                if missing:
                    raise Invalid("is needed to register a terminal", field=f"--{missing[0]}")
                made = pos_terminals.register(
                    uow,
                    actor,
                    given.terminal,
                    given.merchant,
                    given.name,
                    parse_district_code(given.district, "--district"),
                    Mac(given.mac),
                )
                answer = _with_key(made)
            elif given.act == "key":
                answer = _with_key(pos_terminals.give_key(uow, actor, _id(uow, given.terminal)))
            else:
                turned = _TURNS[given.act]
                done = pos_terminals.turn(
                    uow, actor, _id(uow, given.terminal), turned, given.reason
                )
                answer = _shown(done)
        line.answer(answer)
    return 0


def _id(uow: UnitOfWork, terminal_no: str) -> UUID:
    held = terminal_store.hold_terminal(uow.connection, terminal_no)
    if held is None:
        raise NotFound("there is no such terminal", field="--terminal")
    return held.id


def _with_key(made: KeyGiven) -> dict[str, object]:
    return {
        **_shown(made.terminal),
        "master_key": made.master.hex().upper(),
        "check_value": check_value(made.master).hex().upper(),
    }


def _list(line: CommandLine, database: Database) -> None:
    """Print each terminal with its last batch, what differs in it, and what needs an eye."""
    after: UUID | None = None
    while True:
        with database.read() as connection:
            page, after = pos_overview.seen(connection, database.wall.now(), None, after, _PAGE)
        for each in page:
            batch, last = each.settled, None
            if batch is not None and batch.settled_at is not None:
                last = {
                    "batch_no": batch.batch_no,
                    "state": batch.state.value,
                    "settled_at": batch.settled_at.isoformat(),
                    "net_minor": None if batch.ours is None else batch.ours.net_minor,
                    "ledger_net_minor": batch.ledger_net_minor,
                }
            shown = [
                {
                    "batch_no": number,
                    "trace": found.trace,
                    "kind": found.kind.value,
                    "act": found.act.value,
                    "terminal_minor": found.told_minor,
                    "ours_minor": found.ours_minor,
                }
                for number, found in each.differences
            ]
            line.answer(
                {
                    **_shown(each.terminal),
                    "last_batch": last,
                    "differences": shown,
                    "concerns": [need.value for need in each.concerns],
                }
            )
        if after is None:
            return


def _shown(terminal: Terminal) -> dict[str, object]:
    heard = terminal.heard_at
    return {
        "terminal_no": terminal.terminal_no,
        "merchant_no": terminal.merchant_no,
        "name": terminal.name,
        "district": terminal.district,
        "state": terminal.state.value,
        "mac": terminal.mac.value,
        "batch_no": terminal.batch_no,
        "heard_at": None if heard is None else heard.isoformat(),
    }
