"""A judge for everybody's own engine: what is right, what is wrong, what is missing, and why."""
