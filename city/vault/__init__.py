"""Plates, kept encrypted and found by keyed hash; pseudonyms for other personal identifiers.

Everything outside this package names a vehicle by its ``VehicleId``. Who may see a plate in the
clear, and how each look is recorded, is decided here; `docs/decisions/0006-plate-vault.md` says
how the keys work.
"""

from city.vault.comparing import open_for_comparison
from city.vault.day_marks import mark_day, mark_of_vehicle, marks_of_plates
from city.vault.keys import FileKeys, GivenKeys, KeyRing, KeySource, key_source
from city.vault.lists import keep_plates, vehicles_of_kinds
from city.vault.pictures import drop_pictures, keep_picture, open_picture
from city.vault.plates import (
    MAY_SEE_PLATES,
    ForgottenUpTo,
    MaskedPlate,
    find_plate,
    forget,
    keep_plate,
    masked,
    reveal,
)
from city.vault.pseudonyms import forget_pseudonyms, keep_pseudonym, keyed_digests
from city.vault.rotation import RotationReport, begin_rotation, drop_retired, rotate

__all__ = [
    "MAY_SEE_PLATES",
    "FileKeys",
    "ForgottenUpTo",
    "GivenKeys",
    "KeyRing",
    "KeySource",
    "MaskedPlate",
    "RotationReport",
    "begin_rotation",
    "drop_pictures",
    "drop_retired",
    "find_plate",
    "forget",
    "forget_pseudonyms",
    "keep_picture",
    "keep_plate",
    "keep_plates",
    "keep_pseudonym",
    "key_source",
    "keyed_digests",
    "mark_day",
    "mark_of_vehicle",
    "marks_of_plates",
    "masked",
    "open_for_comparison",
    "open_picture",
    "reveal",
    "rotate",
    "vehicles_of_kinds",
]
