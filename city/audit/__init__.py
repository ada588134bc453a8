"""The append-only record of who did what, sealed into a hash chain.

Write with `record` inside the unit of work of the act itself: the record and the act then stand
or fall together. `docs/decisions/0005-audit-chain.md` says how the chain is built and what it
can and cannot show.
"""

from city.audit.chain import Anchor, ChainReport, Problem, seal, unsealed_age_s, verify
from city.audit.trail import (
    Deed,
    Record,
    RecordFilter,
    RecordPage,
    record,
    record_all,
    record_each,
    records,
)

__all__ = [
    "Anchor",
    "ChainReport",
    "Deed",
    "Problem",
    "Record",
    "RecordFilter",
    "RecordPage",
    "record",
    "record_all",
    "record_each",
    "records",
    "seal",
    "unsealed_age_s",
    "verify",
]
