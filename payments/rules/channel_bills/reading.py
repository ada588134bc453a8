"""A channel's bill by the channel's name."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Final

from city.errors import Invalid
from payments.rules.channel_bills import alipay, pos, unionpay, wechat
from payments.rules.channel_bills.lines import CHINA, Bill
from payments.rules.channels import Channel


def read_bill(channel: Channel, content: bytes, day: date | None = None) -> Bill:
    """Read a bill as the channel gives it.

    Parameters
    ----------
    channel : Channel
    content : bytes
        WeChat Pay's and an acquirer's CSV plain or gzip, the others' zip.
    day : date or None
        Of UnionPay's rows, which state no year; None: as its file's name says.

    Raises
    ------
    Invalid
        Where it is no bill of that channel's, or the channel gives none.
    """
    reader = _READERS.get(channel)
    if reader is None:
        raise Invalid("gives no bills", field="channel")
    return reader(content, day)


def day_of(bill: Bill, field: str = "day") -> date:
    """Give China's day of most of a bill's rows; Invalid, naming `field`, where it has none."""
    days = Counter(line.at.astimezone(CHINA).date() for line in bill.lines)
    if not days:
        raise Invalid("must be stated: the bill has no readable row", field=field)
    return days.most_common(1)[0][0]


def _wechat(content: bytes, _day: date | None) -> Bill:
    return wechat.read_trade(wechat.unpacked(content))


def _alipay(content: bytes, _day: date | None) -> Bill:
    return alipay.read_trade(content)


def _pos(content: bytes, _day: date | None) -> Bill:
    return pos.read_trade(content)


def _unionpay(content: bytes, day: date | None) -> Bill:
    return unionpay.read_trade(content, day or unionpay.settlement_day(content))


_READERS: Final[dict[Channel, Callable[[bytes, date | None], Bill]]] = {
    Channel.WECHAT: _wechat,
    Channel.ALIPAY: _alipay,
    Channel.UNIONPAY: _unionpay,
    Channel.POS: _pos,
}
