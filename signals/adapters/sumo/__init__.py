"""SUMO in the loop: one process a run, which alone imports libsumo."""
