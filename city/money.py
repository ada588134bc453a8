"""Money as a whole number of a currency's smallest unit; nothing here is ever a float."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import JsonValue

from city.errors import Invalid

# Source: ISO 4217 (SIX list one, active codes): codes by their digits after the decimal point.
_CODES_BY_DIGITS: Mapping[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP "
        "BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
        "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT "
        "LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
        "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
        "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED "
        "VES WST XCD YER ZAR ZMW"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_MINOR_DIGITS: Mapping[str, int] = {
    code: digits for digits, codes in _CODES_BY_DIGITS.items() for code in codes.split()
}

# ¥ is the city's own currency in both languages; the yen is told apart by its prefix.
_SYMBOLS: Mapping[str, Mapping[str, str]] = {
    "zh": {"CNY": "¥", "JPY": "JP¥", "USD": "US$", "EUR": "€", "GBP": "£", "HKD": "HK$"},
    "en": {"CNY": "¥", "JPY": "JP¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$"},
}

_DECIMAL = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,4}))?", re.ASCII)


def minor_digits(currency: str) -> int:
    """Give the number of digits that a currency has after its decimal point.

    Raises
    ------
    Invalid
        Where the code is not an active ISO 4217 currency.
    """
    digits = _MINOR_DIGITS.get(currency)
    if digits is None:
        raise Invalid("is not an ISO 4217 currency", field="currency")
    return digits


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency.

    Parameters
    ----------
    minor : int
        Whole smallest units: fen for CNY, cents for EUR, yen for JPY. May be negative.
    currency : str
        ISO 4217 code, upper case.

    Raises
    ------
    Invalid
        On an unknown currency, on anything but a whole number, and wherever two currencies meet
        in an addition or an ordering. Equality of two currencies is simply false.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:  # bool is an int to Python, a float is a bug
            raise Invalid("must be a whole number of minor units", field="minor")
        if self.currency not in _MINOR_DIGITS:
            raise Invalid("is not an ISO 4217 currency", field="currency")

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Give nothing of a currency."""
        return cls(0, currency)

    @classmethod
    def total(cls, amounts: Iterable[Self], currency: str) -> Self:
        """Add amounts up; of none, zero in the given currency."""
        result = cls.zero(currency)
        for amount in amounts:
            result = result + amount
        return result

    @classmethod
    def from_json(cls, value: JsonValue, field: str = "amount") -> Self:
        """Read ``{"minor": 250, "currency": "CNY"}``; Invalid names the member at fault."""
        if not isinstance(value, dict):
            raise Invalid("must be an object with minor and currency", field=field)
        minor, currency = value.get("minor"), value.get("currency")
        if not isinstance(minor, int) or isinstance(minor, bool):
            raise Invalid("must be a whole number of minor units", field=f"{field}.minor")
        if not isinstance(currency, str) or currency not in _MINOR_DIGITS:
            raise Invalid("is not an ISO 4217 currency", field=f"{field}.currency")
        return cls(minor, currency)

    @classmethod
    def from_decimal(cls, text: str, currency: str, field: str = "amount") -> Self:
        """Read a decimal amount in major units exactly, as payment channels write it.

        Raises
        ------
        Invalid
            On anything but digits with at most the currency's own number of decimals.
        """
        digits = minor_digits(currency)
        match = _DECIMAL.fullmatch(text)
        if match is None or len(match[3] or "") > digits:
            raise Invalid(f"is not an amount of {currency} ({digits} decimals)", field=field)
        minor = int(match[2] + (match[3] or "").ljust(digits, "0"))
        return cls(-minor if match[1] else minor, currency)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def __mul__(self, times: int) -> Self:
        if type(times) is not int:
            raise Invalid("money is multiplied by whole numbers only", field="times")
        return type(self)(self.minor * times, self.currency)

    __rmul__ = __mul__

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Self) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Self) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Self) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Self) -> bool:
        return self.minor >= self._same(other)

    def as_json(self) -> dict[str, JsonValue]:
        """Give ``{"minor": …, "currency": …}``, the form of the API and of stored documents."""
        return {"minor": self.minor, "currency": self.currency}

    def decimal(self) -> str:
        """Give the amount in major units without grouping or symbol: ``-12.50``."""
        digits = minor_digits(self.currency)
        sign = "-" if self.minor < 0 else ""
        units = str(abs(self.minor)).rjust(digits + 1, "0")
        return f"{sign}{units}" if digits == 0 else f"{sign}{units[:-digits]}.{units[-digits:]}"

    def text(self, language: str) -> str:
        """Write the amount for people: ``¥1,234.50``, with a true minus sign where negative.

        Parameters
        ----------
        language : str
            ``zh`` or ``en``.

        Raises
        ------
        Invalid
            On a language that the catalogue does not have.
        """
        symbols = _SYMBOLS.get(language)
        if symbols is None:
            raise Invalid("is not a language of the catalogue", field="language")
        whole, _, fraction = self.decimal().removeprefix("-").partition(".")
        number = f"{int(whole):,}" + (f".{fraction}" if fraction else "")
        return (
            ("\u2212" if self.minor < 0 else "")
            + symbols.get(self.currency, f"{self.currency}\u00a0")
            + number
        )

    def _same(self, other: Self) -> int:
        if self.currency != other.currency:
            raise Invalid(f"{self.currency} and {other.currency} do not mix", field="currency")
        return other.minor
