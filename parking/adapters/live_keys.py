"""Keys of a district's live state. They share its hash tag: one node of a cluster holds them."""

from typing import Final, NamedTuple

from city.identifiers import DistrictCode

HEARD: Final = "heard"
"""Stands in a field of `counts` where a state otherwise does: last word of the facility's bays."""


class DistrictKeys(NamedTuple):
    """The names; `docs/occupancy.md` says what each holds."""

    bays: str
    free: str
    counts: str
    due: str
    applied: str
    changes: str
    lease: str
    rebuilding: str
    """There while the state is being rebuilt; one that was interrupted begins again."""


def district_keys(district: DistrictCode | str) -> DistrictKeys:
    """Give the names of a district's keys."""
    tag = f"{{d:{district}}}"
    return DistrictKeys(
        bays=f"{tag}:bays",
        free=f"{tag}:free",
        counts=f"{tag}:counts",
        due=f"{tag}:due",
        applied=f"{tag}:applied",
        changes=f"{tag}:changes",
        lease=f"{tag}:lease:fold",
        rebuilding=f"{tag}:rebuilding",
    )
