"""What all tables of the room share."""

from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql import TIMESTAMP

METADATA = MetaData(schema="signals")

INSTANT = TIMESTAMP(timezone=True)
