"""Schedules: which plan runs on which day at which time, from weeks of counts."""
