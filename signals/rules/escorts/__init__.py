"""Escorts: a route of junctions that are held one by one as a convoy comes up."""
