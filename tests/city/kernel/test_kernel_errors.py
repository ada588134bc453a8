from city.errors import CityError, Forbidden, Invalid, TooMany, Unauthenticated, Unavailable


def test_an_error_says_its_field_its_message_and_its_details() -> None:
    error = Invalid("must be positive", field="radius_m", given=-3)

    assert str(error) == "radius_m: must be positive"
    assert error.code == "invalid"
    assert error.details == {"given": -3}


def test_an_error_without_a_field_says_its_message_alone() -> None:
    assert str(CityError("no")) == "no"


def test_one_who_is_not_known_is_also_forbidden_and_too_many_is_also_unavailable() -> None:
    assert issubclass(Unauthenticated, Forbidden)
    assert issubclass(TooMany, Unavailable)


def test_waiting_before_another_try_takes_at_least_a_second() -> None:
    assert TooMany("slow down", retry_after_s=0).retry_after_s == 1
    assert Unavailable("full", retry_after_s=30, stream="d").details == {"stream": "d"}


def test_every_error_of_the_tree_has_its_own_code() -> None:
    kinds = [CityError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())

    codes = [kind.code for kind in kinds if kind.__module__ == "city.errors"]

    assert sorted(codes) == [
        "city-error",
        "conflict",
        "forbidden",
        "invalid",
        "not-found",
        "too-many",
        "unauthenticated",
        "unavailable",
    ]
