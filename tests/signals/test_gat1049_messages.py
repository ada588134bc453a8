"""GA/T 1049: messages byte by byte, what is refused of XML, and who may ask for what."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from signals.rules.controllers.demonstration import crossroads, plan
from signals.rules.controllers.gat1049 import codes, objects
from signals.rules.controllers.gat1049.desk import Denied, Guest, News, answer
from signals.rules.controllers.gat1049.messages import (
    PLATFORM,
    SYSTEM,
    Fault,
    Kind,
    Message,
    Splitter,
    Verb,
    decode,
    encode,
    msg_entity,
    question,
)
from signals.rules.controllers.gat1049.nodes import MOST_BYTES, Node, branch, leaf, read, write
from signals.rules.controllers.layout import ControllerPlan, Layout, PlanStage
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
LOG_IN = (
    "<Message><Version>1.0</Version><Token></Token><From><Address><Sys>UTCS</Sys><SubSys/>"
    "<Instance/></Address></From><To><Address><Sys>TICP</Sys><SubSys/><Instance/></Address></To>"
    "<Type>REQUEST</Type><Seq>20221201144013000001</Seq><Body>"
    '<Operation order="1" name="Login"><SDO_User><UserName>u</UserName><Pwd>p</Pwd></SDO_User>'
    "</Operation></Body></Message>"
)
"""Composed by the rules that public implementations agree on."""
SAID = branch("SDO_User", leaf("UserName", "u"), leaf("Pwd", "p"))
MESSAGE = Message(
    Kind.REQUEST, "20221201144013000001", Verb.LOGIN, (SAID,), "", SYSTEM, PLATFORM, "1.0"
)
CROSS = "11010180001001"


def test_a_log_in_is_what_public_implementations_send() -> None:
    assert encode(MESSAGE) == DECLARATION + LOG_IN.encode()
    assert decode(LOG_IN.encode()) == MESSAGE
    # One of them has bare names, other cases and spaces in its tags.
    loose = LOG_IN.replace(
        "<Address><Sys>UTCS</Sys><SubSys/><Instance/></Address></From>", "UTCS</From>"
    ).replace("</SDO_User>", "</SDO_User >")
    assert decode(f" {loose}".strip().encode()) == MESSAGE
    beat = LOG_IN.replace('name="Login"', 'name="notify"').replace("REQUEST", "push")
    assert (decode(beat.encode()).kind, decode(beat.encode()).verb) == (Kind.PUSH, Verb.NOTIFY)


def test_a_plan_is_written_as_the_edition_of_2024_has_it() -> None:
    sent = objects.timed(crossroads(), plan(127, 40, 15, 35, 15, offset_s=7))
    assert write(objects.plan_node(CROSS, sent)) == (
        f"<PlanParam><CrossID>{CROSS}</CrossID><PlanNo>127</PlanNo><PlanName>plan 127</PlanName>"
        "<CycleLen>105</CycleLen><CoordStageNo>1</CoordStageNo><Offset>7</Offset><StageTimingList>"
        "<StageTiming><StageNo>1</StageNo><Green>35</Green><Yellow>3</Yellow><AllRed>2</AllRed>"
        "<MaxGreen>35</MaxGreen><MinGreen>35</MinGreen><AdjustList/></StageTiming>"
        "<StageTiming><StageNo>2</StageNo><Green>10</Green><Yellow>3</Yellow><AllRed>2</AllRed>"
        "<MaxGreen>10</MaxGreen><MinGreen>10</MinGreen><AdjustList/></StageTiming>"
        "<StageTiming><StageNo>3</StageNo><Green>30</Green><Yellow>3</Yellow><AllRed>2</AllRed>"
        "<MaxGreen>30</MaxGreen><MinGreen>30</MinGreen><AdjustList/></StageTiming>"
        "<StageTiming><StageNo>4</StageNo><Green>10</Green><Yellow>3</Yellow><AllRed>2</AllRed>"
        "<MaxGreen>10</MaxGreen><MinGreen>10</MinGreen><AdjustList/></StageTiming>"
        "</StageTimingList></PlanParam>"
    )


def test_a_plan_begins_with_the_stage_that_it_is_coordinated_by() -> None:
    sent = objects.timed(crossroads(), plan(9, 40, 15, 35, 15))
    node = objects.plan_node(CROSS, sent)
    turned = Node(
        node.name,
        children=tuple(
            leaf("CoordStageNo", 3) if each.name == "CoordStageNo" else each
            for each in node.children
        ),
    )
    found = objects.plan_from(read(write(turned).encode()))
    assert [each.stage for each in found.timings] == [3, 4, 1, 2]
    assert objects.plan_from(node) == sent


@given(st.lists(st.integers(12, 60), min_size=4, max_size=4), st.integers(0, 47))
def test_plans_come_back_the_same(lengths_s: list[int], offset_s: int) -> None:
    meant = plan(9, *lengths_s, offset_s=offset_s)
    raw = write(objects.plan_node(CROSS, objects.timed(crossroads(), meant))).encode()
    assert objects.plan_from(read(raw)).plan == meant


def layout_told(layout: Layout, *plans: ControllerPlan) -> Layout:
    return objects.layout_from(
        objects.cross_node(CROSS, "crossroads", layout, [each.number for each in plans]),
        [objects.signal_group_node(CROSS, each) for each in layout.phases],
        [objects.lamp_group_node(CROSS, each) for each in layout.phases],
        [objects.stage_node(CROSS, layout, each) for each in layout.stages],
        [objects.timed(layout, each) for each in plans],
    )


def test_a_layout_keeps_every_change_that_plans_tell_and_takes_the_longest_for_others() -> None:
    mine = crossroads()
    # Walkers clear in 2 s, who drives in 5: from 3 to 4 only the latter counts.
    slow = {**mine.intergreen_s, (4, 1): 9.0, (3, 4): 6.0}
    cabinet = replace(mine, intergreen_s=slow)
    told = layout_told(cabinet, plan(1, 35, 15, 30, 25), plan(2, 25, 12, 20, 19))
    for one, other in ((1, 2), (2, 3), (3, 4), (4, 1)):
        assert told.change_s(one, other) == cabinet.change_s(one, other)
    assert told.change_s(1, 3) == 9
    assert told.conflicts == mine.conflicts
    assert [each.losing for each in told.phases] == [each.losing for each in mine.phases]


def test_what_is_not_told_is_not_made_up() -> None:
    layout = crossroads()
    with pytest.raises(Invalid, match="no plan that tells"):
        layout_told(layout)
    cross = objects.cross_node(CROSS, "crossroads", layout, [1])
    bare = Node(cross.name, children=cross.children[:-1])
    with pytest.raises(Invalid, match="which signal groups conflict"):
        objects.layout_from(bare, *_told(layout))
    groups, lamps, stages, plans = _told(layout)
    with pytest.raises(Invalid, match="whom signal group 1 is for"):
        objects.layout_from(cross, groups, lamps[1:], stages, plans)
    with pytest.raises(Invalid, match="every signal group"):
        objects.layout_from(cross, groups[1:], lamps, stages, plans)
    with pytest.raises(Invalid, match="a stage that is not told"):
        objects.layout_from(cross, groups, lamps, stages[1:], plans)


def _told(
    layout: Layout,
) -> tuple[list[Node], list[Node], list[Node], list[objects.TimedPlan]]:
    return (
        [objects.signal_group_node(CROSS, each) for each in layout.phases],
        [objects.lamp_group_node(CROSS, each) for each in layout.phases],
        [objects.stage_node(CROSS, layout, each) for each in layout.stages],
        [objects.timed(layout, plan(1, 35, 15, 30, 15))],
    )


def test_a_plan_that_cannot_be_timed_is_refused() -> None:
    unknown = ControllerPlan(9, 60, 0, (PlanStage(1, 30), PlanStage(9, 30)))
    with pytest.raises(Invalid, match="no stage 9"):
        objects.timed(crossroads(), unknown)
    short = ControllerPlan(9, 34, 0, (PlanStage(1, 30), PlanStage(2, 4)))
    with pytest.raises(Invalid, match="too short for its change"):
        objects.timed(crossroads(), short)


@pytest.mark.parametrize(
    ("status", "aspect"),
    [
        ("112", Aspect.GREEN),
        ("211", Aspect.RED),
        ("121", Aspect.YELLOW),
        ("221", Aspect.RED_YELLOW),
        ("131", Aspect.FLASHING_YELLOW),
        ("113", Aspect.FLASHING_GREEN),
        ("103", Aspect.FLASHING_GREEN),
        ("201", Aspect.RED),
        ("111", Aspect.DARK),
        ("222", None),
        ("12", None),
        ("", None),
    ],
)
def test_lamps_are_three_characters(status: str, aspect: Aspect | None) -> None:
    assert codes.aspect_of(status) is aspect
    if aspect is not None:
        kind = GroupKind.PEDESTRIAN if "0" in status else GroupKind.VEHICLE
        assert codes.lamp_status(aspect, kind) == status


# --- broken and hostile ---------------------------------------------------------------------------

BOMB = b"""<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Message><Token>&b;</Token></Message>"""


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (BOMB, "declaration"),
        (b'<!DOCTYPE m SYSTEM "file:///etc/passwd"><Message/>', "declaration"),
        (b"<?php echo 1 ?><Message/>", "declaration or an instruction"),
        (b"<a>" * 17 + b"</a>" * 17, "deeper"),
        (b"<m>" + b"<a/>" * 20_000 + b"</m>", "more elements"),
        (b"<m>" + b"a" * MOST_BYTES + b"</m>", "longer than"),
        (b"<m>\xff</m>", "no XML"),
        (b"<m>\x01</m>", "no XML"),
        (b"<m></n>", "no XML"),
        (b"<m/><m/>", "no XML"),
        (b"", "no XML"),
        (b"<m>&unknown;</m>", "no XML"),
        (b"<Other/>", "is no message"),
        (b"<Message><Body/></Message>", "must have one operation"),
        (b"<Message><Body><Operation/><Operation/></Body></Message>", "must have one operation"),
    ],
)
def test_what_is_no_message_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        decode(raw)


def test_what_xml_cannot_carry_is_not_sent() -> None:
    with pytest.raises(Invalid, match="cannot carry"):
        encode(replace(MESSAGE, token="\x01"))
    with pytest.raises(Invalid, match="longer than"):
        encode(replace(MESSAGE, objects=(leaf("Name", "a" * MOST_BYTES),)))


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    try:
        decode(raw)
    except Invalid:
        return


@given(st.integers(0, len(LOG_IN) - 1), st.binary(max_size=3), st.integers(0, 30))
def test_no_damage_breaks_the_reader_or_the_desk(at: int, put: bytes, cut: int) -> None:
    raw = LOG_IN.encode()
    damaged = raw[:at] + put + raw[at + cut :]
    try:
        found = decode(damaged)
    except Invalid:
        return
    reply, _ = answer(found, Guest(), Offers(), admit)
    if reply is not None:
        decode(encode(reply))


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=9
)


@given(TEXTS, TEXTS)
def test_any_text_comes_back_the_same(one: str, other: str) -> None:
    sent = branch("m", leaf("a", one.strip()), leaf("b", other.strip()))
    assert read(write(sent).encode()) == sent


@given(st.lists(st.integers(1, 60), max_size=40), st.integers(1, 4))
def test_a_stream_is_cut_at_the_ends_of_messages_wherever_its_pieces_end(
    sizes: list[int], count: int
) -> None:
    raw = (DECLARATION + LOG_IN.encode() + b" \n") * count
    splitter, found, at = Splitter(), [], 0
    for size in [*sizes, len(raw)]:
        found += splitter.feed(raw[at : at + size])
        at += size
    assert found == [DECLARATION + LOG_IN.encode()] * count


def test_a_message_without_an_end_is_thrown_away_and_the_next_but_one_is_read() -> None:
    splitter = Splitter()
    for _ in range(MOST_BYTES // 10_000 + 1):
        assert splitter.feed(b"<Message>" + b"a" * 9_991) == []
    assert splitter.dropped == 1
    assert len(splitter.feed(b"</Message>" + LOG_IN.encode())) == 2


# --- who may ask for what -------------------------------------------------------------------------


class Offers:
    """A desk with one object."""

    offered = frozenset({"CrossStage"})

    def crosses(self, _user: str) -> frozenset[str]:
        return frozenset({CROSS})

    def give(self, user: str, name: str, identity: str, number: int | None) -> tuple[Node, ...]:
        if name != "CrossStage":
            raise Denied(Fault.UNKNOWN, name, "there is no such object")
        return (leaf(name, f"{user} {identity} {number}"),)

    def take(self, _user: str, wanted: tuple[Node, ...]) -> tuple[Node, ...]:
        raise Invalid(f"no {wanted[0].name}")

    def news(self, _guest: Guest) -> tuple[News, ...]:
        return ()


def admit(name: str, password: str) -> str | None:
    return "token" if (name, password) == ("u", "p") else None


INSIDE = Guest("u", "token")


def request(verb: Verb | None, *wanted: Node, token: str = INSIDE.token) -> Message:
    return Message(Kind.REQUEST, "1", verb, wanted, token)


def fault_of(message: Message | None) -> str:
    assert message is not None
    assert message.kind is Kind.ERROR
    return message.objects[0].said("ErrType")


def test_who_logs_in_gets_a_token_and_his_password_is_not_sent_back() -> None:
    reply, guest = answer(MESSAGE, Guest(), Offers(), admit)
    assert reply is not None
    assert (reply.kind, reply.token, reply.sequence) == (Kind.RESPONSE, "token", MESSAGE.sequence)
    assert (reply.sender, reply.receiver) == (PLATFORM, SYSTEM)
    assert b"Pwd" not in encode(reply)
    assert guest == INSIDE
    # A log-in that fails ends the one before.
    wrong = replace(MESSAGE, objects=(branch("SDO_User", leaf("UserName", "u"), leaf("Pwd", "q")),))
    refused, outside = answer(wrong, guest, Offers(), admit)
    assert fault_of(refused) == "SDE_Pwd"
    assert (outside.user, outside.failures) == (None, 1)


@pytest.mark.parametrize(
    ("message", "guest", "fault"),
    [
        (request(Verb.GET, question("CrossStage", CROSS)), Guest(), "SDE_Token"),
        (request(Verb.GET, question("CrossStage", CROSS), token=""), INSIDE, "SDE_Token"),
        (request(Verb.GET, question("CrossStage", CROSS), token="other"), INSIDE, "SDE_Token"),
        (request(Verb.SET, leaf("CrossCtrlInfo"), token="other"), INSIDE, "SDE_Token"),
        (request(Verb.GET, question("Nothing", CROSS)), INSIDE, "SDE_Unknown"),
        (request(Verb.GET), INSIDE, "SDE_Failure"),
        (request(Verb.GET, leaf("CrossStage")), INSIDE, "SDE_Failure"),
        (request(Verb.GET, branch("TSCCmd", leaf("No", "x"))), INSIDE, "SDE_Failure"),
        (request(Verb.SET), INSIDE, "SDE_Failure"),
        (request(Verb.SET, leaf("CrossCtrlInfo")), INSIDE, "SDE_Failure"),
        (request(Verb.GET, *[question("CrossStage", CROSS)] * 65), INSIDE, "SDE_Failure"),
        (request(Verb.SUBSCRIBE, msg_entity("SysInfo")), INSIDE, "SDE_NotAllow"),
        (request(None), INSIDE, "SDE_OperName"),
        (request(Verb.NOTIFY), INSIDE, "SDE_OperName"),
        (replace(request(Verb.GET), kind=None), INSIDE, "SDE_MsgType"),
        (request(Verb.LOGIN), Guest(), "SDE_Pwd"),
    ],
)
def test_what_is_not_allowed_is_said_by_an_error(
    message: Message, guest: Guest, fault: str
) -> None:
    reply, after = answer(message, guest, Offers(), admit)
    assert fault_of(reply) == fault
    assert after.subscribed == frozenset()


def test_what_is_offered_is_given_subscribed_to_and_left_again() -> None:
    reply, guest = answer(
        request(Verb.GET, question("CrossStage", CROSS, 3)), INSIDE, Offers(), admit
    )
    assert reply is not None
    assert reply.objects == (leaf("CrossStage", f"u {CROSS} 3"),)
    _, guest = answer(request(Verb.SUBSCRIBE, msg_entity("CrossStage")), guest, Offers(), admit)
    assert guest.wants("CrossStage", CROSS)
    _, guest = answer(request(Verb.UNSUBSCRIBE, msg_entity("CrossStage")), guest, Offers(), admit)
    assert not guest.wants("CrossStage", CROSS)
    asked = branch(
        "CrossReportCtrl",
        leaf("Cmd", "Start"),
        leaf("Type", "CrossStage"),
        branch("CrossIDList", leaf("CrossID", CROSS)),
    )
    _, guest = answer(request(Verb.SET, asked), guest, Offers(), admit)
    assert guest.reported == {("CrossStage", CROSS)}
    strange = branch(*("CrossReportCtrl",), *asked.children[:2])
    reply, guest = answer(request(Verb.SET, strange), guest, Offers(), admit)
    assert fault_of(reply) == "SDE_Failure"
    _, guest = answer(request(Verb.LOGOUT), guest, Offers(), admit)
    assert guest == Guest()
    assert answer(replace(request(Verb.NOTIFY), kind=Kind.PUSH), guest, Offers(), admit)[0] is None
