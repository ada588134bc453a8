"""What driving a plan in a simulation gives: outcomes of runs, their means and intervals."""
