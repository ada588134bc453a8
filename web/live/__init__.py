"""The live feed: one reader of the live store per process, fanned out to every open page."""

from web.live.feed import register

__all__ = ["register"]
