"""GA/T 1049: sessions with a peer that misbehaves where it is told to, and with real processes."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from city.errors import Invalid
from city.works.settings import settings
from signals.adapters.cabinet_host import CabinetHost
from signals.adapters.gat1049.line import Gat1049Line
from signals.adapters.gat1049.session import Counter, Session, Ways
from signals.adapters.gat1049.simulated import CROSS, Dialling, Journal, SimulatedGat1049
from signals.adapters.gat1049.systems import Systems
from signals.adapters.gat1049.users import GatUser, admitting, read_users
from signals.adapters.gbt20999.link import Patience
from signals.adapters.lines import dial
from signals.receiving import reception
from signals.rules.controllers import demonstration
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.demonstration import crossroads, plan
from signals.rules.controllers.gat1049.messages import (
    Kind,
    Message,
    Splitter,
    Verb,
    decode,
    encode,
    msg_entity,
    question,
)
from signals.rules.controllers.gat1049.nodes import branch, leaf
from signals.rules.controllers.layout import ControllerPlan, Layout
from signals.rules.controllers.line import Control, NoAnswer, Refused
from signals.services.street import Outcome, Pace, put_in_force
from tests.signals.controller_process import controller, line_to, port_of
from tests.signals.direct_system import DirectSystem
from tests.waiting import eventually

USER = GatUser("centre", "a-long-password")
NOBODY = 1
"""A port that nobody listens at."""
QUICK = Pace(poll_s=0.02, safe_polls=2_000, take_up_polls=2_000, watch_polls=5)
PATIENT = Patience(timeout_s=30.0, tries=3)
STAGE = branch("CrossStage", leaf("CrossID", CROSS), leaf("CurStageNo", 2))


def anything(_layout: Layout, _plan: ControllerPlan) -> None:
    """Find every plan safe."""


def wanted(_layout: Layout, number: int) -> ControllerPlan:
    return plan(number, 40, 15, 35, 15)


# --- a peer that answers as it is told to ---------------------------------------------------------

Answers = Callable[[list[Message]], list[bytes]]


@contextmanager
def peer(
    answers: Answers, count: int = 1, patience: Patience = PATIENT
) -> Iterator[tuple[Session, list[Message]]]:
    """Give a session with one that answers every so many requests at once."""
    ours, theirs = socket.socketpair()
    asked: list[Message] = []

    def run() -> None:
        splitter = Splitter()
        while piece := heard(theirs):
            for raw in splitter.feed(piece):
                request = decode(raw)
                if request.verb is Verb.LOGOUT:
                    return
                asked.append(request)
                if len(asked) % count == 0:
                    for each in answers(asked[-count:]):
                        theirs.sendall(each)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    session = Session(ours, patience=patience)
    try:
        yield session, asked
    finally:
        session.close()
        thread.join(10)
        theirs.close()


def heard(opened: socket.socket) -> bytes:
    try:
        return opened.recv(65_536)
    except ConnectionError:
        # Closed there with something of ours unread.
        return b""


def right(request: Message, number: int = 2) -> bytes:
    said = branch("CrossStage", leaf("CrossID", CROSS), leaf("CurStageNo", number))
    return encode(request.reply(said))


def stage_of(message: Message) -> int | None:
    return message.objects[0].number("CurStageNo")


ASK = (Verb.GET, (question("CrossStage", CROSS),))


def test_answers_out_of_order_belong_by_their_sequence() -> None:
    def backwards(requests: list[Message]) -> list[bytes]:
        return [right(each, place) for place, each in reversed(list(enumerate(requests)))]

    with peer(backwards, 3) as (session, asked):
        assert [stage_of(each) for each in session.ask_all([ASK] * 3)] == [0, 1, 2]
        assert len({each.sequence for each in asked}) == 3


@pytest.mark.parametrize(
    ("before", "broken", "strays"),
    [
        (lambda _: b"", 0, 0),
        (lambda _: b"\x00\xff garbage </Message>", 1, 0),
        (lambda raw: raw[: len(raw) // 2] + b"</Message>", 1, 0),
        (lambda _: b"<Message>" + b"a" * 500_000 + b"</Message>", 1, 0),
        (lambda raw: b'<!DOCTYPE m [<!ENTITY a "b">]>' + raw.partition(b"?>")[2], 1, 0),
        (lambda raw: raw.replace(b"<Seq>2", b"<Seq>1"), 0, 1),
        (lambda raw: raw.replace(b"<Token>mine<", b"<Token>other<"), 0, 1),
        (lambda raw: raw.replace(b"RESPONSE", b"PUSH"), 0, 0),
    ],
    ids=["alone", "garbage", "half", "huge", "entities", "late", "token", "pushed"],
)
def test_what_is_not_the_answer_is_passed_over(
    before: Callable[[bytes], bytes], broken: int, strays: int
) -> None:
    with peer(lambda asked: [before(right(asked[0], 9)), right(asked[0])]) as (session, _):
        session.trust("mine")
        assert stage_of(session.ask(*ASK[:1], *ASK[1])) == 2
        assert (session.traffic.broken, session.traffic.strays) == (broken, strays)


def test_an_answer_twice_counts_once_and_an_error_is_said() -> None:
    with peer(lambda asked: [right(asked[0])] * 2) as (session, _):
        assert stage_of(session.ask(*ASK[:1], *ASK[1])) == 2
        assert eventually(lambda: session.traffic.strays == 1, 30)
    said = branch("SDO_Error", leaf("ErrObj", "CrossStage"), leaf("ErrType", "SDE_NotAllow"))

    def refuse(asked: list[Message]) -> list[bytes]:
        return [encode(replace(asked[0].reply(said), kind=Kind.ERROR))]

    with (
        peer(refuse) as (session, _),
        pytest.raises(Refused, match="SDE_NotAllow CrossStage"),
    ):
        session.ask(*ASK[:1], *ASK[1])


def test_silence_is_no_answer_and_a_question_is_asked_again() -> None:
    with peer(lambda _: [], patience=Patience(0.05, 3)) as (session, asked):
        with pytest.raises(NoAnswer, match="did not answer"):
            session.ask(*ASK[:1], *ASK[1])
        assert eventually(lambda: len(asked) == 3, 30)
        assert len({each.sequence for each in asked}) == 1
    with pytest.raises(NoAnswer, match="is down"):
        session.ask(*ASK[:1], *ASK[1])


def test_a_line_that_breaks_while_it_is_waited_for_is_told_at_once() -> None:
    ours, theirs = socket.socketpair()
    session = Session(ours, patience=Patience(timeout_s=600.0, tries=1))
    threading.Timer(0.1, theirs.close).start()
    with pytest.raises(NoAnswer, match="is down"):
        session.ask(*ASK[:1], *ASK[1])
    assert not session.alive


def test_nothing_is_offered_to_a_system_that_asks_us() -> None:
    ours, theirs = socket.socketpair()
    session = Session(ours)
    theirs.sendall(encode(Message(Kind.REQUEST, "7", *ASK, "token")))
    reply = decode(read_one(theirs))
    assert (reply.kind, reply.sequence) == (Kind.ERROR, "7")
    assert reply.objects[0].said("ErrType") == "SDE_NotAllow"
    session.close()
    theirs.close()


def read_one(opened: socket.socket) -> bytes:
    opened.settimeout(30)
    splitter = Splitter()
    while True:
        piece = opened.recv(65_536)
        assert piece, "closed"
        found = splitter.feed(piece)
        if found:
            return found[0]


# --- the other side -------------------------------------------------------------------------------


class Hands:
    """The clock of a session, put forward by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def served(hands: Hands) -> tuple[Session, socket.socket]:
    ours, theirs = socket.socketpair()
    journal = Journal()
    host = CabinetHost(demonstration.cabinet(), tick=lambda: 0.0, told=journal.told)
    counter = Counter(SimulatedGat1049(host, journal), admitting({USER.name: USER}))
    return Session(ours, counter=counter, platform=False, ways=Ways(tick=hands)), theirs


def log_in(theirs: socket.socket, password: str = USER.password) -> Message:
    said = branch("SDO_User", leaf("UserName", USER.name), leaf("Pwd", password))
    theirs.sendall(encode(Message(Kind.REQUEST, "1", Verb.LOGIN, (said,))))
    return decode(read_one(theirs))


def test_who_logs_in_wrongly_three_times_is_left() -> None:
    session, theirs = served(Hands())
    for _ in range(3):
        assert log_in(theirs, "another-password").objects[0].said("ErrType") == "SDE_Pwd"
    assert eventually(lambda: not session.alive, 30)
    theirs.close()


@pytest.mark.parametrize(("inside", "after_s"), [(False, 31.0), (True, 91.0)])
def test_who_does_not_log_in_or_falls_silent_is_left(inside: bool, after_s: float) -> None:
    hands = Hands()
    session, theirs = served(hands)
    if inside:
        assert log_in(theirs).token
    assert session.alive
    hands.now_s = after_s
    assert eventually(lambda: not session.alive, 30)
    theirs.close()


def test_a_heartbeat_is_pushed_with_the_token_each_half_minute() -> None:
    hands = Hands()
    session, theirs = served(hands)
    token = log_in(theirs).token
    hands.now_s = 30.5
    beat = decode(read_one(theirs))
    assert (beat.kind, beat.verb, beat.token) == (Kind.PUSH, Verb.NOTIFY, token)
    assert [each.name for each in beat.objects] == ["SDO_HeartBeat"]
    session.close()
    theirs.close()


def test_passwords_are_never_shown() -> None:
    assert "password" not in repr(USER).replace("GatUser", "")
    with pytest.raises(Invalid) as caught:
        read_users('{"centre": {"password": "short"}}')
    assert "short" not in str(caught.value)
    with pytest.raises(Invalid, match="is no JSON"):
        read_users("a-long-password")


# --- what the line makes of it --------------------------------------------------------------------


def test_a_stage_is_held_only_where_the_plans_tell_how_it_is_come_to() -> None:
    now = [0.0]
    journal = Journal()
    host = CabinetHost(demonstration.cabinet(), tick=lambda: now[0], told=journal.told)
    line = Gat1049Line(DirectSystem(host, journal), CROSS)
    now[0] = 20.0
    assert line.read_state().stage == 1
    with pytest.raises(Refused, match="no plan tells how stage 1 changes to 3"):
        line.hold_stage(3)
    line.hold_stage(2)
    now[0] = 70.0
    held = line.read_state()
    assert (held.control, held.stage, held.plan) == (Control.MANUAL, 2, 1)
    # After a minute without a repetition the plan goes on.
    now[0] = 100.0
    assert line.read_state().control is Control.FIXED
    line.hold_stage(line.read_state().stage or 0)
    line.take_up(2, Control.FIXED)
    now[0] = 300.0
    assert (line.read_state().plan, line.read_state().control) == (2, Control.FIXED)


def test_orders_without_a_plan_lapse_and_what_is_unsafe_or_strange_is_refused() -> None:
    now = [0.0]
    journal = Journal()
    host = CabinetHost(demonstration.cabinet(), tick=lambda: now[0], told=journal.told)
    system = DirectSystem(host, journal)
    line = Gat1049Line(system, CROSS)
    now[0] = 20.0
    line.show(Control.FLASHING)
    now[0] = 60.0
    state = line.read_state()
    assert (state.control, state.plan, state.stage) == (Control.FLASHING, None, None)
    now[0] = 100.0
    assert line.read_state().control is Control.FIXED
    with pytest.raises(Invalid, match="no mode without a plan"):
        line.show(Control.FIXED)
    # A plan with other changes than the cabinet shows, one that is not there, half of one.
    other = branch("SetPlanParam", leaf("Oper", 2), leaf("PlanParam"))
    for said in (other, branch("SetPlanParam", leaf("Oper", 3)), leaf("CtrlVarLane")):
        with pytest.raises(Refused):
            system.ask(Verb.SET, said)
    assert sorted(host.cabinet.plans) == [1, 2]
    stranger = Gat1049Line(system, "11010180009999")
    with pytest.raises(Refused, match="no such junction"):
        stranger.read_state()


def test_a_system_that_dials_us_is_asked_over_its_own_session() -> None:
    journal = Journal()
    host = CabinetHost(demonstration.cabinet(), tick=lambda: 20.0, told=journal.told)
    systems = Systems()
    listening = reception(systems, {USER.name: USER}, "127.0.0.1", 0)

    def asked(user: GatUser) -> Session | None:
        try:
            return systems.borrow("127.0.0.1", NOBODY, user, PATIENT)
        except NoAnswer:
            return None

    assert asked(USER) is None
    stranger = replace(USER, password="another-password")
    wrong = Dialling(SimulatedGat1049(host, journal), stranger, "127.0.0.1", listening.port)
    right = Dialling(SimulatedGat1049(host, journal), USER, "127.0.0.1", listening.port)
    try:
        assert eventually(lambda: asked(USER) is not None, 30)
        session = asked(USER)
        assert session is not None
        line = Gat1049Line(
            session, CROSS, patience=PATIENT, closed=lambda: systems.give_back(session)
        )
        assert line.read_layout().stages == crossroads().stages
        line.write_plan(plan(127, 40, 15, 35, 15))
        assert line.read_plan(127) == plan(127, 40, 15, 35, 15)
        line.close()
        # It came by itself, and stays for the next line.
        assert asked(USER) is session
    finally:
        wrong.close()
        right.close()
    assert eventually(lambda: not session.alive, 30)
    assert asked(USER) is None
    listening.close()


# --- real processes -------------------------------------------------------------------------------


def test_lost_and_repeated_answers_do_no_harm() -> None:
    # No bits are turned: TCP has a check for that, and the messages have none of their own.
    with controller(
        "--speed", "200", "--faults", "lose=0.1,duplicate=0.3,seed=5", protocol="gat1049"
    ) as ready:
        line = line_to(ready, Patience(timeout_s=0.2, tries=50))
        done = put_in_force(line, wanted, anything, sleep=time.sleep, pace=QUICK)
        line.close()
    assert done.outcome is Outcome.ACTIVE, done


def test_a_tripped_monitor_is_told_and_left_alone() -> None:
    with controller("--speed", "100", "--faults", "weld=3", protocol="gat1049") as ready:
        line = line_to(ready, PATIENT)
        assert eventually(lambda: line.read_state().faults != (), 60)
        assert line.read_state().control is Control.FLASHING
        done = put_in_force(line, wanted, anything, sleep=time.sleep, pace=QUICK)
        assert done.outcome is Outcome.NOT_SENT
        line.close()


def test_junctions_of_a_system_share_one_session_and_news_are_pushed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GAT1049_SYSTEMS", '{"centre": {"password": "a-long-password"}}')
    settings.cache_clear()
    try:
        with controller("--speed", "100", protocol="gat1049") as ready:
            # Who may log in is in the settings: nothing is told of it.
            assert "password" not in ready
            address = CabinetAddress(
                "127.0.0.1",
                port_of(ready),
                protocol="gat1049",
                transport="tcp",
                dialect={"user": "centre", "cross": CROSS},
            )
            one, other = dial(address, PATIENT), dial(address, PATIENT)
            assert one.read_layout().stages == crossroads().stages
            one.close()
            assert other.read_state().plan == 1
            other.close()
            with pytest.raises(NoAnswer, match="is down"):
                other.read_state()
            with pytest.raises(Invalid, match="no password of nobody"):
                dial(replace(address, dialect={"user": "nobody", "cross": CROSS}))
            with pytest.raises(Refused, match="SDE_Pwd"):
                Systems().borrow("127.0.0.1", address.port, GatUser("centre", "x" * 9), PATIENT)
            assert news_of(address.port) == {"CrossStage"}
    finally:
        settings.cache_clear()


def news_of(port: int) -> set[str]:
    """Subscribe to stages as a platform of another make would, and give what comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as theirs:
        token = log_in(theirs).token
        ask = Message(Kind.REQUEST, "2", Verb.SUBSCRIBE, (msg_entity("CrossStage"),), token)
        theirs.sendall(encode(ask))
        splitter = Splitter()
        seen: list[Message] = []
        while len(seen) < 3:
            seen += [decode(raw) for raw in splitter.feed(theirs.recv(65_536))]
    assert seen[0].kind is Kind.RESPONSE
    assert {each.kind for each in seen[1:]} == {Kind.PUSH}
    return {inner.name for each in seen[1:] for inner in each.objects}


@pytest.mark.parametrize(
    ("dialect", "transport", "why"),
    [
        ({}, "tcp", "must name the system's user"),
        ({"user": "centre"}, "tcp", "must name the system's user"),
        ({"user": "", "cross": CROSS}, "tcp", "must name the system's user"),
        ({"user": "centre", "cross": "x"}, "tcp", "digits alone"),
        ({"user": "centre", "cross": 1}, "tcp", "digits alone"),
        ({"user": "centre", "cross": CROSS, "version": 1}, "tcp", "must name the system's user"),
        ({"user": "centre", "cross": CROSS}, "udp", "must be tcp"),
    ],
)
def test_a_binding_names_the_system_and_the_junction(
    dialect: dict[str, str | int], transport: str, why: str
) -> None:
    with pytest.raises(Invalid, match=why):
        CabinetAddress(
            "127.0.0.1", 9_999, protocol="gat1049", transport=transport, dialect={**dialect}
        )
