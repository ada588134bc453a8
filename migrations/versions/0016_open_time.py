"""Figures tell the time in which bays are open from the time in which they are in service.

Revision ID: 0016_open_time
Revises: 0015_readers

Everything counted so far took bays for open at all times: it is counted anew. Works mark what
they change, as whoever writes a history does.
"""

from alembic import op

revision = "0016_open_time"
down_revision = "0015_readers"
branch_labels = None
depends_on = None

COLUMNS = """
alter table parking.figure_hour add column open_us bigint not null default 0;
alter table parking.figure_day add column open_us bigint not null default 0;
alter table parking.figure_hour alter column open_us drop default;
alter table parking.figure_day alter column open_us drop default;

insert into parking.figure_mark (facility_id, from_at)
select facility_id, min(hour_at) from parking.figure_hour group by facility_id;
"""

MARKS = """
create function parking.mark_works() returns trigger language plpgsql as $$
begin
    insert into parking.figure_mark (facility_id, from_at)
    select facility_id, min(coalesce(lifted_at, from_at)) from touched group by facility_id;
    return null;
end
$$;

create trigger mark_added after insert on parking.suspension
    referencing new table as touched for each statement execute function parking.mark_works();
create trigger mark_altered after update on parking.suspension
    referencing new table as touched for each statement execute function parking.mark_works();
"""


def upgrade() -> None:
    op.execute(COLUMNS + MARKS)


def downgrade() -> None:
    op.execute("""
        drop trigger mark_altered on parking.suspension;
        drop trigger mark_added on parking.suspension;
        drop function parking.mark_works();
        alter table parking.figure_hour drop column open_us;
        alter table parking.figure_day drop column open_us;
    """)
