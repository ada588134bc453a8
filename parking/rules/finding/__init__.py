"""Finding a bay: how long until its door, whether it will still be free, and the way there."""
