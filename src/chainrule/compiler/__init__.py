"""From scalar graphs to array programs."""
