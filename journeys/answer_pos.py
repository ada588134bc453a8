"""Answer POS terminals: who speaks, whether it is proved, and what is answered under which key.

A message is one transaction: what it does, that it did it, and what was answered are committed
together. A process that dies anywhere has done all of it or nothing. Where we do not know how it
ended we say nothing: the terminal reverses, or asks again, and is answered as before.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from city.errors import CityError
from city.works import metrics
from city.works.database import Database, UnitOfWork
from journeys.act_at_pos import Said, do_act, inquire, reverse
from payments import pos_settling, pos_terminals
from payments.rules.pos.answers import answer
from payments.rules.pos.iso8583 import (
    MAC_BYTES,
    MAC_FIELD,
    BadMessage,
    Frame,
    Message,
    Value,
    decode,
    encode,
    read_frame,
    signed_part,
)
from payments.rules.pos.mac import is_mac, mac_of
from payments.rules.pos.requests import (
    MOVES_MONEY,
    BadRequest,
    Code,
    Kind,
    Request,
    read_request,
    written_totals,
)
from payments.rules.pos.terminals import Batch, BatchState, Terminal, TerminalState
from payments.store import pos_batches as batch_store
from payments.store import pos_terminals as terminal_store

_REQUESTS: Final = frozenset({"0200", "0220", "0320", "0400", "0500", "0800", "0820"})
_AGREES: Final = "1"
_DIFFERS: Final = "2"

log = structlog.get_logger("pos")


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer, and the key that proves it; None: nobody's key is known to fit."""

    said: Said | None
    code: Code
    key: bytes | None = field(default=None, repr=False)
    added: Mapping[int, Value] = field(default_factory=dict)


def answer_frame(database: Database, body: bytes) -> bytes | None:
    """Give the frame that answers one, its length before it.

    Parameters
    ----------
    database : Database
    body : bytes
        What came after a length.

    Returns
    -------
    bytes or None
        None where it is no message at all, or where it is not known how it ended.
    """
    begun = time.perf_counter()
    kind, code = "unread", ""
    try:
        frame = read_frame(body)
        message = decode(frame.content)
    except BadMessage as bad:
        metrics.POS_MESSAGES.labels(kind, bad.fault.value).inc()
        log.info("a message cannot be read", where=bad.where, fault=bad.fault.value)
        if bad.mti not in _REQUESTS:
            return None
        said = answer(Message(bad.mti, {}), Code.FORMAT, database.wall.now())
        return read_frame(body).reply(encode(said)).encode()
    try:
        request = read_request(message)
        kind = request.kind.value
        content, code = _answered(database, frame, message, request)
    except BadRequest as bad:
        code = bad.code.value
        log.info("a message asks for nothing we do", where=bad.where, code=code)
        if message.mti not in _REQUESTS:
            return None
        content = encode(answer(message, bad.code, database.wall.now(), {63: bad.where}))
    except CityError as error:
        code = "none"
        log.warning("a message is not answered", kind=kind, reason=error.code)
        return None
    finally:
        metrics.POS_MESSAGES.labels(kind, code).inc()
        metrics.POS_SECONDS.observe(time.perf_counter() - begun)
    return frame.reply(content).encode()


def _answered(
    database: Database, frame: Frame, message: Message, request: Request
) -> tuple[bytes, str]:
    with database.unit_of_work() as uow:
        reply = _heard(uow, frame, message, request)
        content = _written(uow, message, reply)
    return content, reply.code.value


def _heard(uow: UnitOfWork, frame: Frame, message: Message, request: Request) -> _Reply:
    if request.kind is Kind.ECHO:
        return _Reply(None, Code.OK)
    terminal = terminal_store.hold_terminal(uow.connection, request.terminal_no)
    if terminal is None:
        return _Reply(None, Code.TERMINAL)
    away = _turned_away(terminal, request)
    if away is not None or request.kind is Kind.SIGN_OUT:
        return _Reply(None, away or Code.OK)
    if request.kind is Kind.SIGN_IN:
        made = pos_terminals.sign_in(uow, terminal)
        return _Reply(
            None,
            Code.OK,
            added={60: f"00{made.terminal.batch_no:06d}003", 62: made.wrapped_key},
        )
    key = _proved(terminal, frame, message)
    if key is None:
        return _Reply(None, Code.MAC)
    said = _done(uow, terminal, request, frame)
    heard = replace(said.terminal, heard_at=uow.wall.now())
    terminal_store.write_terminal(uow.connection, heard)
    return _Reply(said, said.code, key, said.added)


def _turned_away(terminal: Terminal, request: Request) -> Code | None:
    if terminal.merchant_no != request.merchant_no:
        return Code.MERCHANT
    return None if terminal.state is TerminalState.ACTIVE else Code.LOCKED


def _proved(terminal: Terminal, frame: Frame, message: Message) -> bytes | None:
    """Give the key under which a message is proved; None where it is under none."""
    told = message.raw(MAC_FIELD)
    if not told:
        return None
    signed = signed_part(frame.content)
    for session in pos_terminals.sessions(terminal):
        key = pos_terminals.working_key(terminal, session)
        if is_mac(terminal.mac, key, signed, told):
            return key
    return None


def _done(uow: UnitOfWork, terminal: Terminal, request: Request, frame: Frame) -> Said:
    if request.kind in MOVES_MONEY:
        digest = pos_terminals.digest(terminal, signed_part(frame.content))
        return do_act(uow, terminal, request, digest)
    if request.kind is Kind.REVERSAL:
        return reverse(uow, terminal, request)
    if request.kind is Kind.INQUIRY:
        return inquire(uow, terminal, request)
    batch = batch_store.find_batch(uow.connection, terminal.id, request.batch_no)
    if batch is None or batch.batch_no != terminal.batch_no:
        return Said(Code.BATCH, terminal)
    if request.kind is Kind.SETTLEMENT:
        return _settled(uow, terminal, request, batch)
    return _uploaded(uow, terminal, request, batch)


def _uploaded(uow: UnitOfWork, terminal: Terminal, request: Request, batch: Batch) -> Said:
    """Take a part of a batch, or its end; told again when it is over, it is over."""
    if batch.state is BatchState.OPEN:
        return Said(Code.BATCH, terminal)
    rows = request.uploaded
    if batch.state is BatchState.UPLOADING and rows:
        batch_store.add_uploads(uow.connection, terminal.id, batch.batch_no, rows)
    elif batch.state is BatchState.UPLOADING:
        pos_settling.end_upload(uow, terminal, batch)
    return Said(Code.OK, terminal, {48: f"{len(rows):02d}"} if rows else {})


def _settled(uow: UnitOfWork, terminal: Terminal, request: Request, batch: Batch) -> Said:
    if request.totals is None:
        return Said(Code.FORMAT, terminal)
    if batch.state is BatchState.OPEN:
        batch = pos_settling.settle(uow, terminal, batch, request.totals)
    elif batch.told != request.totals:
        return Said(Code.BATCH, terminal)
    # Told again it is answered as the first time: also where the upload is over meanwhile.
    how = _AGREES if batch.state is BatchState.BALANCED else _DIFFERS
    return Said(Code.OK, terminal, {48: written_totals(request.totals) + how})


def _written(uow: UnitOfWork, message: Message, reply: _Reply) -> bytes:
    made = answer(message, reply.code, uow.wall.now(), reply.added)
    if reply.key is None or reply.said is None:
        return encode(made)
    room = encode(Message(made.mti, {**made.fields, MAC_FIELD: bytes(MAC_BYTES)}))
    signed = signed_part(room)
    return signed + mac_of(reply.said.terminal.mac, reply.key, signed)
