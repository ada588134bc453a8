"""What lets a person free a stay of its fee: reasons as data, by each region's policy.

Kinds of plates that are free by themselves are the tariff's and the benefits' matter; this is about
what somebody on the street sees and no plate says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from pydantic import JsonValue

from city.errors import Conflict, Invalid
from city.identifiers import DistrictCode
from parking.rules.tariffs.document import Name

MOST_REASONS: Final = 30
SHORTEST_WORDS: Final = 3
_CODE: Final = re.compile(r"[a-z][a-z0-9-]{1,39}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ExemptReason:
    """Why a stay may be freed of its fee, and what whoever says so has to show for it.

    Raises
    ------
    Invalid
        On a code that is none, or a name that is missing in a language.
    """

    code: str
    name: Name
    photo: bool
    """Whether a picture of it is asked for."""
    words: bool
    """Whether words of their own are asked for."""

    def __post_init__(self) -> None:
        if _CODE.fullmatch(self.code) is None:
            raise Invalid("must be 2 to 40 of a-z, 0-9 and -", field="reasons.code")
        if not (self.name.zh.strip() and self.name.en.strip()):
            raise Invalid("must not be empty", field="reasons.name")

    def as_json(self) -> dict[str, JsonValue]:
        """Give it as it is stored."""
        name: dict[str, JsonValue] = {"zh": self.name.zh, "en": self.name.en}
        return {"code": self.code, "name": name, "photo": self.photo, "words": self.words}

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """Read what `as_json` wrote."""
        name = Name.model_validate(value["name"])
        return cls(str(value["code"]), name, value["photo"] is True, value["words"] is True)


@dataclass(frozen=True, slots=True)
class ExemptionPolicy:
    """The reasons that a region accepts.

    Raises
    ------
    Invalid
        Where a reason is named twice, or there are too many to choose from.
    """

    reasons: tuple[ExemptReason, ...]
    source: str
    """The rule or notice that it follows."""

    def __post_init__(self) -> None:
        codes = [each.code for each in self.reasons]
        if len(set(codes)) < len(codes):
            raise Invalid("names one reason twice", field="reasons")
        if len(codes) > MOST_REASONS:
            raise Invalid(f"must be at most {MOST_REASONS}", field="reasons")


@dataclass(frozen=True, slots=True)
class RegionExemptions:
    """A policy, and where and from when it is in force."""

    id: UUID
    district: DistrictCode | None
    """None: wherever no district rules itself."""
    from_at: datetime
    policy: ExemptionPolicy
    stated_at: datetime
    stated_by: str


def _reason(code: str, zh: str, en: str, *, photo: bool, words: bool = False) -> ExemptReason:
    return ExemptReason(code, Name(zh=zh, en=en), photo, words)


DEFAULT_POLICY: Final = ExemptionPolicy(
    (
        _reason("emergency-vehicle", "应急救援车辆", "emergency vehicle", photo=True),
        _reason("disabled-permit", "残疾人证件", "disabled person's permit", photo=True),
        _reason("official-duty", "执行公务", "on official duty", photo=True),
        _reason("street-works", "道路施工", "street works", photo=True),
        _reason("sensor-fault", "传感器故障", "sensor fault", photo=False),
        _reason("other", "其他", "other", photo=True, words=True),
    ),
    source="where no region rules otherwise",
)


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture that was taken with an act: its name and its hash, made on the device."""

    id: UUID
    sha256: str

    def __post_init__(self) -> None:
        if _SHA256.fullmatch(self.sha256) is None:
            raise Invalid("must be a SHA-256 in hexadecimal", field="photo_sha256")


def judged(policy: ExemptionPolicy, code: str, words: str, photo: Photo | None) -> ExemptReason:
    """Give the reason that a policy has under a code, where all that it asks for was given.

    Raises
    ------
    Invalid
        Where the policy has no such reason.
    Conflict
        Where words or a picture are missing.
    """
    found = next((each for each in policy.reasons if each.code == code), None)
    if found is None:
        raise Invalid("is no reason that frees a stay here", field="exempt")
    if found.words and len(words.strip()) < SHORTEST_WORDS:
        raise Conflict("this reason needs words of your own", field="reason", reason="words")
    if found.photo and photo is None:
        raise Conflict("this reason needs a photo", field="photo_id", reason="photo")
    return found


@dataclass(frozen=True, slots=True)
class Exemption:
    """A stay that somebody freed of its fee."""

    code: str
    name: Name
    words: str
    by: str
    role: str
    at: datetime
    photo: Photo | None

    def detail(self) -> dict[str, JsonValue]:
        """Give what is kept with the evidence of it."""
        name: dict[str, JsonValue] = {"zh": self.name.zh, "en": self.name.en}
        said: dict[str, JsonValue] = {"exempt": self.code, "name": name, "role": self.role}
        if self.words:
            said["reason"] = self.words
        if self.photo is not None:
            said |= {"photo_id": str(self.photo.id), "photo_sha256": self.photo.sha256}
        return said

    @classmethod
    def from_detail(cls, detail: Mapping[str, JsonValue], by: str, at: datetime) -> Self:
        """Read what `detail` gave."""
        photo_id = detail.get("photo_id")
        photo = None
        if photo_id is not None:
            photo = Photo(UUID(str(photo_id)), str(detail["photo_sha256"]))
        return cls(
            str(detail["exempt"]),
            Name.model_validate(detail["name"]),
            str(detail.get("reason") or ""),
            by,
            str(detail["role"]),
            at,
            photo,
        )

    def as_reason(self) -> str:
        """Say it in a line, for the ledger."""
        proof = "" if self.photo is None else f"; photo sha256 {self.photo.sha256}"
        words = f": {self.words}" if self.words else ""
        return f"exempt, {self.name.en}{words}"[:400] + proof
