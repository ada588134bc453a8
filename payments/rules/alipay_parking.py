"""Alipay's deductions for parking on the wire: agreements, entries and exits, orders.

Source: the models and answers of ``alipay.eco.mycar.parking.*`` and ``alipay.eco.mycar.trade.*`` in
Alipay's public SDKs (alipay-sdk-java, alipay-sdk-python-all; 2016 to 2024), with the words that
they give. Not documented publicly, and so unverified: the refusals' sub-codes, how a browser is led
to the page where a payer signs, whether a lot may be entered twice under one number of ours, and
that a refund is asked after by the trade's own number.
"""

from typing import Final

from payments.rules.channels import Fate
from payments.rules.deductions import Standing

AGREEMENT: Final = "alipay.eco.mycar.parking.agreement.query"
LOT: Final = "alipay.eco.mycar.parking.parkinglotinfo.create"
ENTER: Final = "alipay.eco.mycar.parking.enterinfo.sync"
EXIT: Final = "alipay.eco.mycar.parking.exitinfo.sync"
PAY: Final = "alipay.eco.mycar.parking.order.pay"
QUERY: Final = "alipay.eco.mycar.trade.order.query"
REFUND: Final = "alipay.eco.mycar.parking.order.refund"

_AGREEMENTS: Final = {
    "0": Standing.SIGNED,
    "1": Standing.NONE,
    # Asked with a payer's id: another payer has signed for the car.
    "2": Standing.NONE,
}
_FATES: Final = {
    "0": Fate.OPEN,
    "1": Fate.PAID,
    "2": Fate.CLOSED,
    "3": Fate.PAID,
    "4": Fate.OPEN,
    "5": Fate.CLOSED,
    # What was given back, or was to be, had been paid.
    "6": Fate.PAID,
    "7": Fate.PAID,
    "8": Fate.PAID,
    "9": Fate.PAID,
}


def agreement_standing(status: str) -> Standing:
    """Read ``agreement_status``."""
    return _AGREEMENTS.get(status, Standing.UNKNOWN)


def trade_fate(status: str) -> Fate:
    """Read ``trade_status`` of the car owners' platform, a number."""
    return _FATES.get(status, Fate.UNKNOWN)
