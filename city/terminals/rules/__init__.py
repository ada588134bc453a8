"""What a terminal is, how its requests are signed, when it needs somebody's eye."""
