"""Cameras and files that give pictures."""
