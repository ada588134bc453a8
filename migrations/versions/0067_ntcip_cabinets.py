"""Cabinets that speak NTCIP 1202.

Revision ID: 0067_ntcip_cabinets
Revises: 0066_signal_drives
"""

from alembic import op

revision = "0067_ntcip_cabinets"
down_revision = "0066_signal_drives"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
alter table signals.cabinet drop constraint cabinet_protocol_check,
    add constraint cabinet_protocol_check check (protocol in ('gbt20999', 'ntcip'));
""")


def downgrade() -> None:
    op.execute("""
delete from signals.cabinet where protocol = 'ntcip';
alter table signals.cabinet drop constraint cabinet_protocol_check,
    add constraint cabinet_protocol_check check (protocol in ('gbt20999'));
""")
