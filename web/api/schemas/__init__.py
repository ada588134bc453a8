"""What requests and responses look like; the OpenAPI document is made from these models."""
