"""GB/T 20999-2017: frames, and the objects of a controller as their data values."""
