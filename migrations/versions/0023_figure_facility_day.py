"""Figures by facility and day: what days, facilities and districts are added up from.

Revision ID: 0023_figure_facility_day
Revises: 0022_reconciliations

A year of a city is read from a 24th of the rows. Filled from the hours that are counted already.
"""

from alembic import op

revision = "0023_figure_facility_day"
down_revision = "0022_reconciliations"
branch_labels = None
depends_on = None

TABLE = """
create table parking.figure_facility_day (
    facility_id uuid not null,
    day date not null,
    district text not null,
    service_us bigint not null,
    open_us bigint not null,
    occupied_us bigint not null,
    free_us bigint not null,
    arrivals integer not null,
    ended integer not null,
    matched integer not null,
    dwell_stays integer not null,
    dwell_us bigint not null,
    changes integer not null,
    dwell_bins smallint[] not null,
    dwell_counts integer[] not null,
    delay_bins smallint[] not null,
    delay_counts integer[] not null,
    primary key (facility_id, day)
) partition by range (day);
create table parking.figure_facility_day_default
    partition of parking.figure_facility_day default;
"""

BINS = """
    select facility_id, day, array_agg(bin order by bin) as bins,
        array_agg(n order by bin) as counts
    from (select h.facility_id, h.day, b.bin, cast(sum(b.n) as integer) as n
          from parking.figure_hour h
          cross join lateral unnest(h.{0}_bins, h.{0}_counts) as b (bin, n)
          group by h.facility_id, h.day, b.bin) binned group by facility_id, day
"""

FILL = f"""
insert into parking.figure_facility_day
select s.facility_id, s.day, s.district, s.service_us, s.open_us, s.occupied_us, s.free_us,
    s.arrivals, s.ended, s.matched, s.dwell_stays, s.dwell_us, s.changes,
    coalesce(d.bins, '{{}}'), coalesce(d.counts, '{{}}'),
    coalesce(e.bins, '{{}}'), coalesce(e.counts, '{{}}')
from (select facility_id, day, max(district) as district, sum(service_us) as service_us,
          sum(open_us) as open_us, sum(occupied_us) as occupied_us, sum(free_us) as free_us,
          sum(arrivals) as arrivals, sum(ended) as ended, sum(matched) as matched,
          sum(dwell_stays) as dwell_stays, sum(dwell_us) as dwell_us, sum(changes) as changes
      from parking.figure_hour group by facility_id, day) s
left join ({BINS.format("dwell")}) d using (facility_id, day)
left join ({BINS.format("delay")}) e using (facility_id, day)
"""  # noqa: S608 - names of ours


def upgrade() -> None:
    op.execute(TABLE + FILL)


def downgrade() -> None:
    op.execute("drop table parking.figure_facility_day")
