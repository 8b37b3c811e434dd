"""What runs array programs."""
