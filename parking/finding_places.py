"""Find a place by its name: facilities of the registry, streets and junctions of the network."""

from typing import Final

from city.errors import Invalid
from parking.known_places import KnownPlaces
from parking.known_streets import KnownStreets
from parking.rules.finding.street_places import NamedPlace, best_matches, folded, rank

MOST: Final = 20
KINDS: Final = ("street", "facility", "junction")
"""Among equally good names the street comes before its kerbs, and they before its junctions."""


def places_named(
    places: KnownPlaces, streets: KnownStreets, words: str, *, limit: int
) -> list[NamedPlace]:
    """Give places of a name in Chinese or English, whole names first, then beginnings.

    Parameters
    ----------
    words
        Part of a name; case and space do not count.
    limit
        At most `MOST`.

    Notes
    -----
    Costs one look at every facility's name in the database, kept for those asked again, and one
    at every street's in memory.

    Raises
    ------
    Invalid
        On words that are nothing but space.
    """
    wanted = folded(words)
    if not wanted:
        raise Invalid("must hold more than space", field="name")
    limit = min(limit, MOST)
    along = best_matches(streets.named(), words, limit)
    # The many kerbs of a street must not hide the street and its junctions.
    room = max(limit - len(along), (limit + 1) // 2)
    found = [
        # By code alone it ranks behind every name.
        (
            3 if (match := rank(wanted, each.name_zh, each.name_en)) is None else match,
            NamedPlace(
                "facility", f"facility:{each.id}", each.name_zh, each.name_en, each.position
            ),
        )
        for each in places.facilities_named(wanted, limit=limit)[:room]
    ]
    found += along
    found.sort(key=lambda pair: (pair[0], KINDS.index(pair[1].kind)))
    return [each for _, each in found[:limit]]
