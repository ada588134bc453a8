"""What if: other functions of lanes, and no signal at all."""
