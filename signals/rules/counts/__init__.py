"""Traffic counts: 15-minute tables of movements by class, read row by row."""
