"""Traffic signals: junctions, timing, lamps; plans for the street and how they are judged."""
