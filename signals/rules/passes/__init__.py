"""Where vehicles go and how long it takes, by marks of the day seen past two places. Pure."""
