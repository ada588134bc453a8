"""Fixed-time plans from demand: flows, stages, cycle and splits; never worse than in force."""
