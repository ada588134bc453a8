"""What detectors and controllers say, as it comes in and as it is kept."""
