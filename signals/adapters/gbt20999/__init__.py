"""GB/T 20999-2017 over UDP and TCP: our line to a controller, and a simulated controller."""
