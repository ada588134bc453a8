"""Ports of driver log-in: somebody else vouches for who a driver is."""

import re
from typing import Final, Protocol

from city.errors import Invalid

PHONE: Final = "phone"
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_CHINESE_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_DROPPED = str.maketrans("", "", " -()\t\u3000")


class DriverIdentity(Protocol):
    """Proves that a driver holds a phone number, by a code sent to it.

    Called outside any transaction: implementations may do network I/O and keep transactions of
    their own. What ``verify`` gives goes to ``city.people.services.log_in_driver``.
    """

    @property
    def provider(self) -> str:
        """Name under which subjects are kept: subjects of two providers never meet."""
        ...

    def send_code(self, phone: str, *, remote: str | None = None) -> None:
        """Send a one-time code.

        Parameters
        ----------
        phone : str
            As typed; read by `parse_phone`.
        remote : str or None
            The caller's address, for the limit on it.

        Raises
        ------
        Invalid
            Where it is no phone number.
        TooMany
            Where this phone or remote has asked too often.
        Unavailable
            Where the code cannot be sent now.
        """
        ...

    def verify(self, phone: str, code: str) -> str:
        """Check a code and give the subject: the phone number in its one form.

        Raises
        ------
        Unauthenticated
            Where the code is wrong, used, too old or tried too often: which is not told.
        """
        ...


class WalletIdentity(Protocol):
    """Proves that a driver holds a wallet (WeChat, Alipay), by the code its app hands over.

    Called outside any transaction.
    """

    @property
    def provider(self) -> str:
        """Name under which subjects are kept, such as ``alipay``."""
        ...

    def verify(self, code: str) -> str:
        """Exchange the app's code for the subject: the wallet's openid for us.

        Raises
        ------
        Unauthenticated
            Where the wallet does not know the code.
        Unavailable
            Where the wallet cannot be reached.
        """
        ...


def parse_phone(text: str, field: str = "phone") -> str:
    """Read a phone number into E.164; eleven digits from 13… to 19… are Chinese mobiles.

    Raises
    ------
    Invalid
        On anything else; the message never quotes the number.
    """
    cleaned = text.translate(_DROPPED)
    if _CHINESE_MOBILE.fullmatch(cleaned):
        cleaned = f"+86{cleaned}"
    if _PHONE.fullmatch(cleaned) is None:
        raise Invalid("is not a phone number (11 digits, or + and country code)", field=field)
    return cleaned
