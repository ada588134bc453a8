"""What may be uploaded to a junction: told by its first bytes, never by its name."""

from enum import StrEnum
from typing import Final

from city.errors import Invalid

LARGEST: Final = 2 * 1024 * 1024
"""Bytes, as the vault keeps them."""


class Format(StrEnum):
    """A kind of file, by its content."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    PDF = "application/pdf"


_BEGINS: Final = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"%PDF-", Format.PDF),
)
_ENDS: Final = {
    Format.JPEG: b"\xff\xd9",
    Format.PNG: b"IEND\xaeB`\x82",
    Format.PDF: b"%%EOF",
}
_TAIL: Final = 1024
PHOTOS: Final = frozenset({Format.JPEG, Format.PNG})


def format_of(content: bytes, *, photo: bool = False, field: str = "content") -> Format:
    """Tell a file's kind by its content.

    Parameters
    ----------
    content : bytes
    photo : bool
        Whether it has to be a picture.
    field : str
        As the request names it.

    Raises
    ------
    Invalid
        Where it is empty, too large, none of what is taken, or cut off.
    """
    if not 0 < len(content) <= LARGEST:
        raise Invalid(f"must have 1 to {LARGEST} bytes", field=field)
    found = next((each for begins, each in _BEGINS if content.startswith(begins)), None)
    if found is None or (photo and found not in PHOTOS):
        raise Invalid(
            "must be a JPEG or PNG picture" if photo else "must be a JPEG or PNG picture, or a PDF",
            field=field,
        )
    # A line that broke leaves half of a picture: the hand that sent it is still at the cabinet.
    if _ENDS[found] not in content[-_TAIL:]:
        raise Invalid("was cut off: send it again", field=field)
    return found
