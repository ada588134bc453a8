"""Keeping signals alive: work orders with deadlines, and what is uploaded to them."""
