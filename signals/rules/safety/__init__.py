"""Whether a signal plan may go on the street: rules with their sources, and a report."""
