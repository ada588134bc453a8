"""Use cases of the reading room: evidence, reviews, cameras."""
