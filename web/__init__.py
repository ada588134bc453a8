"""Delivery: how the platform is reached over HTTP. It parses, calls one use case, renders."""
