"""``gateway``: a local gateway that speaks WeChat Pay, Alipay and UnionPay."""

import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Final

from city.command_line import CommandLine
from city.errors import Invalid
from city.time import WallClock
from payments.gateway.app import Gateway
from payments.gateway.desk import WechatKeys
from payments.gateway.faults import GRAMMAR, parse_faults
from payments.gateway.journal import Journal
from payments.gateway.keys import kept_keys, make_keys
from payments.gateway.notifier import check_speed

SUMMARY: Final = "serve a local gateway of the three online channels, with faults on purpose"

_EXAMPLE: Final = (
    "python -m payments gateway --port 8090 --speed 60 \\\n"
    "    --faults seed=7,delay=0.2:0.5-3,duplicate=0.3,lose=0.2,5xx=0.05\n"
    "  what clients are configured with: GET /gateway/keys; faults:\n"
    f"  {GRAMMAR}"
)
_LAST_PORT: Final = 65535


def run(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C; print one line when ready and one at the end."""
    line = CommandLine("payments", "gateway", SUMMARY, _EXAMPLE)
    line.add_argument("--port", required=True, metavar="N", help="loopback port; 0: a free one")
    line.add_argument("--faults", default="", metavar="SPEC", help="what goes wrong on purpose")
    line.add_argument(
        "--speed", default="1", metavar="X", help="channels' seconds in one of ours (default 1)"
    )
    line.add_argument("--keys", metavar="DIR", help="keep the keys there from run to run")
    line.add_argument(
        "--journal", metavar="FILE", help="keep orders there: a killed gateway goes on from it"
    )
    line.add_argument(
        "--wechat-keys",
        choices=[mode.value for mode in WechatKeys],
        default=WechatKeys.CERTIFICATE.value,
        help="what WeChat Pay signs with where a request does not say",
    )
    line.add_argument(
        "--open-day", action="store_true", help="give the bill of a day that is still under way"
    )
    given = line.parse_args(arguments)
    now = WallClock().now()
    port, faults = _port(given.port), parse_faults(given.faults)
    speed = check_speed(_speed(given.speed))
    gateway = Gateway(
        kept_keys(Path(given.keys), now) if given.keys else make_keys(now),
        port=port,
        faults=faults,
        speed=speed,
        wechat_keys=WechatKeys(given.wechat_keys),
        open_day=given.open_day,
        journal=Journal(Path(given.journal), WallClock()) if given.journal else None,
    )
    done = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        done.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    gateway.start()
    line.answer({"address": gateway.address, "keys": f"{gateway.address}/gateway/keys"})
    sys.stdout.flush()
    done.wait()
    gateway.stop()
    sys.stderr.write("python -m payments gateway: stopped\n")
    line.answer(
        {"channels": gateway.desk.figures(), "notifications": asdict(gateway.notifier.counts())}
    )
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _LAST_PORT):
        raise Invalid(f"must be 0 to {_LAST_PORT}", field="--port")
    return int(text)


def _speed(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Invalid("must be a number", field="--speed") from None
