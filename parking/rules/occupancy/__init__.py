"""Occupancy: from observations to a bay's state and history. Pure, in integers, without a clock.

`history` says what a history is made of, `policy` the numbers, `observations` what is folded and
in which order, `machine` what one more observation does, `memory` folds in any order of arrival,
`stored` packs it for the live store.
"""
