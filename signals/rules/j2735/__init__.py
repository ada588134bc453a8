"""SPaT and MAP of SAE J2735: what a junction shows and how it is built, for vehicles by radio."""
