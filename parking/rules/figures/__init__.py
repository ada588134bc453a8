"""Figures: what is measured of bays and stays, over which hours, and what a bay's day leaks.

Definitions, sources and limits: ``docs/figures.md``.
"""
