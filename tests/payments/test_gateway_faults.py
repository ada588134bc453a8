"""The gateway tells merchants again until they answer, and badly where it is asked to."""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from city.command_line import run_room
from city.errors import Invalid
from city.time import WallClock
from payments import commands
from payments.gateway.app import Gateway
from payments.gateway.faults import Fault, Faults, parse_faults
from payments.gateway.keys import kept_keys
from payments.gateway.notifier import Damage, Notice, Notifier, check_speed
from payments.rules import alipay, unionpay, wechat_v3
from payments.rules.authenticity import NotAuthentic, Refusal
from tests.payments.merchants import Alipay, Inbox, UnionPay, Wechat, form, keys, pay, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


@contextmanager
def serving(faults: str = "", speed: float = 200) -> Iterator[Gateway]:
    """Serve with faults."""
    gateway = Gateway(keys(), faults=parse_faults(faults), speed=speed)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()


@contextmanager
def taking(*answers: tuple[int, bytes]) -> Iterator[Inbox]:
    """Take notifications."""
    inbox = Inbox(*answers)
    try:
        yield inbox
    finally:
        inbox.close()


def notice(url: str, name: str, retries_s: Sequence[int]) -> Notice:
    """Write a notice whose body says how it was damaged."""

    def write(damage: Damage) -> tuple[dict[str, str], bytes]:
        return {}, f"{name} {damage.amount:d}{damage.signature:d}".encode()

    return Notice(name, url, retries_s, 5.0, write, lambda status, _: status == 200)


@contextmanager
def notifying(faults: str = "", speed: float = 1.0, threads: int = 8) -> Iterator[Notifier]:
    """Notify with faults."""
    notifier = Notifier(parse_faults(faults), speed, threads)
    try:
        yield notifier
    finally:
        notifier.stop()


def quiet(notifier: Notifier) -> Callable[[], bool]:
    return lambda: notifier.counts().waiting == 0


# --- retries -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "answers"),
    [
        ("wechat", [(500, b""), (404, b""), (301, b""), (200, b"")]),
        ("alipay", [(500, b"success"), (200, b"fail"), (200, b"<success/>"), (200, b"success")]),
        ("unionpay", [(500, b""), (404, b""), (403, b""), (200, b"")]),
    ],
)
def test_a_channel_tells_again_by_its_own_schedule_until_it_is_answered_its_own_way(
    channel: str, answers: list[tuple[int, bytes]]
) -> None:
    schedules = {
        "wechat": wechat_v3.RETRIES_S,
        "alipay": alipay.RETRIES_S,
        "unionpay": unionpay.RETRIES_S,
    }
    # The first pause takes a tenth of a second, and the others in proportion.
    speed = schedules[channel][0] * 10
    with serving(speed=speed) as gateway, taking(*answers) as inbox:
        started_s = time.monotonic()
        {"wechat": wechat_paid, "alipay": alipay_paid, "unionpay": unionpay_paid}[channel](
            gateway, inbox.url
        )
        inbox.wait(4)
        took_s = time.monotonic() - started_s
        until(quiet(gateway.notifier))
        assert took_s >= sum(schedules[channel][:3]) / speed
        counts = gateway.notifier.counts()
        assert (counts.notices, counts.sent, counts.taken, counts.refused) == (1, 4, 1, 3)
        if channel == "wechat":
            merchant = Wechat(gateway.address)
            told = [merchant.told(*each) for each in inbox.received]
            assert len({each.notification_id for each in told}) == 1


def wechat_paid(gateway: Gateway, url: str, number: str = "TOLD01") -> None:
    _, opened = Wechat(gateway.address).open(number, 100, url)
    pay(gateway.address, opened["code_url"])


def alipay_paid(gateway: Gateway, url: str) -> None:
    order = {"out_trade_no": "TOLD01", "total_amount": "1", "subject": "停车费"}
    made = Alipay(gateway.address).call("alipay.trade.precreate", order, notify_url=url)
    pay(gateway.address, made["qr_code"])


def unionpay_paid(gateway: Gateway, url: str) -> None:
    made = UnionPay(gateway.address).call(
        ("01", "07"), orderId="TOLD0001", txnAmt="100", backUrl=url
    )
    pay(gateway.address, made["qrCode"])


def test_a_merchant_that_never_answers_is_given_up_after_the_last_attempt() -> None:
    with taking((500, b"")) as inbox, notifying(speed=1000) as notifier:
        notifier.notify(notice(inbox.url, "a", [10, 20, 30]))
        until(quiet(notifier))
        counts = notifier.counts()
        assert (counts.sent, counts.refused, counts.given_up) == (4, 4, 1)


def test_an_address_that_leads_nowhere_does_not_stop_the_others() -> None:
    with taking() as inbox, notifying(speed=1000, threads=1) as notifier:
        for url in (
            "http://127.0.0.1:9/",
            "http://user:word@host:x/",
            "http://[",
            "http://host:99999/",
            "ftp://host/",
            "",
        ):
            notifier.notify(notice(url, url, [1]))
        notifier.notify(notice(inbox.url, "good", [1]))
        assert inbox.wait(1)[0][1] == b"good 00"
        until(quiet(notifier))
        assert notifier.counts().notices == 2


# --- faults --------------------------------------------------------------------------------------


def test_a_duplicated_attempt_goes_out_as_often_as_asked() -> None:
    with taking() as inbox, notifying("duplicate=1:3", speed=20) as notifier:
        notifier.notify(notice(inbox.url, "a", [15]))
        until(quiet(notifier))
        assert [body for _, body in inbox.received] == [b"a 00"] * 3


def test_a_lost_attempt_comes_by_its_retry_and_what_is_always_lost_never_does() -> None:
    lost = parse_faults("seed=1,lose=0.5")
    name = next(f"n{i}" for i in range(99) if strikes(lost, f"n{i}") == [True, False])
    with taking() as inbox, notifying("seed=1,lose=0.5", speed=100) as notifier:
        notifier.notify(notice(inbox.url, name, [15]))
        until(quiet(notifier))
        counts = notifier.counts()
        assert (counts.lost, counts.taken, len(inbox.received)) == (1, 1, 1)
    with taking() as inbox, notifying("lose=1:always", speed=1000) as notifier:
        notifier.notify(notice(inbox.url, name, [15, 15]))
        until(quiet(notifier))
        counts = notifier.counts()
        assert (counts.lost, counts.given_up, inbox.received) == (3, 1, [])


def strikes(faults: Faults, name: str) -> list[bool]:
    return [faults.strikes(Fault.LOSE, f"{name}:{attempt}") for attempt in range(2)]


def test_a_reordered_notification_comes_after_a_later_one() -> None:
    faults = parse_faults("seed=3,reorder=0.5")
    late = next(f"l{i}" for i in range(99) if faults.strikes(Fault.REORDER, f"l{i}:0"))
    soon = next(f"s{i}" for i in range(99) if not faults.strikes(Fault.REORDER, f"s{i}:0"))
    with taking() as inbox, notifying("seed=3,reorder=0.5") as notifier:
        notifier.notify(notice(inbox.url, late, [15]))
        time.sleep(0.1)
        notifier.notify(notice(inbox.url, soon, [15]))
        bodies = [body.decode().split()[0] for _, body in inbox.wait(2)]
        assert bodies == [soon, late]


def test_a_delayed_notification_comes_late() -> None:
    with taking() as inbox, notifying("delay=1:0.3-0.4") as notifier:
        started_s = time.monotonic()
        notifier.notify(notice(inbox.url, "a", [15]))
        inbox.wait(1)
        assert time.monotonic() - started_s >= 0.3


@pytest.mark.parametrize("fault", ["wrong-amount", "wrong-signature"])
def test_a_wrong_amount_is_truly_signed_and_a_wrong_signature_is_of_another_text(
    fault: str,
) -> None:
    with serving(f"{fault}=1") as gateway, taking() as inbox:
        wechat_paid(gateway, inbox.url)
        alipay_paid(gateway, inbox.url)
        unionpay_paid(gateway, inbox.url)
        inbox.wait(3)
        wechat, ali, union = (
            Wechat(gateway.address),
            Alipay(gateway.address),
            UnionPay(gateway.address),
        )
        forms = [form(body) for headers, body in inbox.received if b"sign" in body]
        told = next(each for each in forms if "sign" in each)
        message = next(each for each in forms if "signature" in each)
        callback = next(each for each in inbox.received if "Wechatpay-Nonce" in each[0])
        if fault == "wrong-amount":
            amount = wechat.told(*callback).resource["amount"]
            assert isinstance(amount, dict)
            assert amount["total"] == 101
            alipay.verify_notification(ali.public, told)
            assert told["total_amount"] == "1.01"
            assert union.checked(message)["txnAmt"] == "101"
            return
        for check in (
            lambda: wechat.told(*callback),
            lambda: alipay.verify_notification(ali.public, told),
            lambda: union.checked(message),
        ):
            with pytest.raises(NotAuthentic) as refused:
                check()
            assert refused.value.reason is Refusal.WRONG_SIGNATURE


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_a_failing_gateway_answers_500_before_or_after_it_was_done(when: str, done: int) -> None:
    with serving(f"5xx=1:{when}") as gateway:
        merchant = Alipay(gateway.address)
        order = {"out_trade_no": "FAILS1", "total_amount": "1", "subject": "停车费"}
        asked = merchant.parameters("alipay.trade.precreate", order)
        answer = httpx.post(merchant.given["gateway"], data=asked)
        assert answer.status_code in {500, 502, 503}
        assert len(gateway.desk.book.orders()) == done


def test_a_seed_brings_the_same_faults_again() -> None:
    names = [f"wechat:ORDER{index}:paid:0" for index in range(2000)]
    first, again, other = (parse_faults(f"seed={seed},lose=0.2") for seed in (7, 7, 8))
    struck = [first.strikes(Fault.LOSE, name) for name in names]
    assert struck == [again.strikes(Fault.LOSE, name) for name in names]
    assert struck != [other.strikes(Fault.LOSE, name) for name in names]
    assert 300 < sum(struck) < 500


# --- what the command refuses --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "lose", "lose=2", "lose=x", "lose=nan", "lose=0.1,lose=0.2", "vanish=1", "seed=-1",
        "delay=1:3-1", "duplicate=1:99", "5xx=1:never", "reorder=1:2", "lose=0.1:often",
    ],
)  # fmt: skip
def test_faults_that_are_not_of_the_grammar_are_refused(text: str) -> None:
    with pytest.raises(Invalid, match="--faults"):
        parse_faults(text)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), 1e7])
def test_a_speed_lies_above_nothing(speed: float) -> None:
    with pytest.raises(Invalid, match="--speed"):
        check_speed(speed)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--port", "port"], "--port"),
        (["--port", "70000"], "--port"),
        (["--port", "0", "--faults", "lose=2"], "--faults"),
        (["--port", "0", "--speed", "fast"], "--speed"),
        (["--port", "0", "--keys", "/proc/none"], "--keys"),
    ],
)
def test_a_bad_argument_is_one_line_and_status_2(
    capfd: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    assert run_room(commands, ["gateway", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert named in err


def test_a_port_that_is_taken_is_refused_in_one_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Invalid, match="--port"):
        Gateway(keys(), port=taken.getsockname()[1])
    assert capfd.readouterr().err == ""


def test_keys_are_kept_for_their_owner_and_a_broken_folder_is_refused(tmp_path: Path) -> None:
    folder, now = tmp_path / "keys", WallClock().now()
    made = kept_keys(folder, now)
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    again = kept_keys(folder, now)
    assert again.client_document("x") == made.client_document("x")
    (folder / "wechat-apiv3.key").write_bytes(b"short")
    with pytest.raises(Invalid, match=r"wechat-apiv3\.key"):
        kept_keys(folder, now)
    (folder / "unionpay-root.key.pem").unlink()
    with pytest.raises(Invalid, match="--keys"):
        kept_keys(folder, now)
