"""Whatever a terminal sends as an act is answered by itself: done, or refused with why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from city.terminals.rules.acts import ActKind, Advice
from tests.web.test_terminal_acts import Pda
from web.api.schemas.terminals import ActPartIn

if TYPE_CHECKING:
    from tests.web.small_site import Site

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = sorted(set(ActPartIn.model_fields) - {"sequence"})


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what is put over an act that would be taken: a kind, and some members of any form."""
    return {
        "kind": draw(st.sampled_from([each.value for each in ActKind])),
        **draw(st.dictionaries(st.sampled_from(MEMBERS), ANYTHING, max_size=3)),
    }


@pytest.fixture
def pda(site: Site) -> Pda:
    return Pda(site)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(spoilt(), min_size=1, max_size=4))
def test_an_act_of_any_form_is_answered_and_holds_no_other_up(
    site: Site, pda: Pda, drawn: list[dict[str, Any]]
) -> None:
    here = {"bay_id": str(site.bays[0].id), "reason": "as drawn", "currency": "CNY"}
    bad = [{**pda.act("report", **here, what="other"), **each} for each in drawn]
    good = pda.act("report", bay_id=str(site.bays[1].id), what="other", note=str(uuid4()))
    results = pda.send(*bad, good)
    assert len(results) == len(drawn) + 1
    assert results[-1]["result"] == "created"
    for each in results:
        assert each["result"] in {"created", "exists", "conflict"}
        if each["result"] == "conflict":
            assert each["reason"]
            assert each["advice"] in set(Advice)
