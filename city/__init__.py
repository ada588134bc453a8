"""The kernel that every room stands on: values, time, places, identifiers and errors."""
