"""Tariffs: a declarative language, its checks, and pure rating with explained lines."""
