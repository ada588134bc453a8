"""Rights to park: permits, benefits, reservations, blacklists, and what of a stay they cover.

Pure decisions: no query, no clock. Services load what is needed and keep what was decided.
"""
