"""Cabinets behind signal systems that speak GA/T 1049.2: many junctions at one address.

Revision ID: 0084_systems_of_signals
Revises: 0083_junction_files
"""

from alembic import op

revision = "0084_systems_of_signals"
down_revision = "0083_junction_files"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
alter table signals.cabinet drop constraint cabinet_protocol_check,
    add constraint cabinet_protocol_check
        check (protocol in ('gbt20999', 'gat1049', 'ntcip')),
    drop constraint cabinet_bound_once;
create unique index cabinet_bound_once on signals.cabinet
    (host, port, controller, junction, coalesce(dialect ->> 'cross', ''));
""")


def downgrade() -> None:
    op.execute("""
delete from signals.cabinet where protocol = 'gat1049';
drop index signals.cabinet_bound_once;
alter table signals.cabinet drop constraint cabinet_protocol_check,
    add constraint cabinet_protocol_check check (protocol in ('gbt20999', 'ntcip')),
    add constraint cabinet_bound_once unique (host, port, controller, junction);
""")
