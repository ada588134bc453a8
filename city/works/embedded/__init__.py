"""Servers that run as children of the supervisor where no address of a server is given."""
