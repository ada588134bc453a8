"""What is kept of reads: every query on the room's tables."""
