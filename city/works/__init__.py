"""Plumbing: settings, database, jobs, live store, logs, metrics, supervisor, embedded servers."""
