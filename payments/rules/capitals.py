"""Sums in the capital numerals of Chinese papers, which nobody can alter with a stroke."""

from typing import Final

from city.errors import Invalid
from city.money import Money

DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
PLACES: Final = ((1000, "仟"), (100, "佰"), (10, "拾"), (1, ""))
GROUPS: Final = ((10**8, "亿"), (10**4, "万"), (1, ""))
MOST_YUAN: Final = 10**12


def in_capitals(amount: Money) -> str:
    """Write a sum of yuan in capital numerals, such as ``壹拾贰元伍角整``.

    Parameters
    ----------
    amount : Money
        Of CNY, not below zero, less than 10^12 yuan.

    Raises
    ------
    Invalid
        On any other.

    Notes
    -----
    Zeros inside a number are written once, those at its end not at all; ``整`` ends what has no
    fen. Source: annex 1 of the People's Bank's rules of payment (支付结算办法, 1997).
    """
    yuan, hundredths = divmod(amount.minor, 100)
    if amount.currency != "CNY" or not 0 <= yuan < MOST_YUAN:
        raise Invalid("is no sum of yuan that has capital numerals", field="amount")
    jiao, fen = divmod(hundredths, 10)
    whole = f"{_whole(yuan)}元" if yuan else ""
    if not hundredths:
        return f"{whole or '零元'}整"
    tenths = f"{DIGITS[jiao]}角" if jiao else "零" if yuan else ""
    return f"{whole}{tenths}{f'{DIGITS[fen]}分' if fen else '整'}"


def _whole(number: int) -> str:
    parts: list[str] = []
    gap = False
    for size, name in GROUPS:
        group = number // size % 10_000
        if not group:
            gap = bool(parts)
            continue
        if parts and (gap or group < PLACES[0][0]):
            parts.append(DIGITS[0])
        parts.append(_four(group) + name)
        gap = False
    return "".join(parts)


def _four(number: int) -> str:
    text, gap = "", False
    for size, name in PLACES:
        digit = number // size % 10
        if digit:
            text += (DIGITS[0] if gap else "") + DIGITS[digit] + name
        gap = bool(text) and not digit
    return text
