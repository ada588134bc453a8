"""What requests and responses look like; the OpenAPI document is made from these models."""

# Imported for its effect: views state their inputs after this, and are read by our own adapter.
from web import parsing as parsing
