"""Comparisons with peers in one run: medians with their spread, a target beside what was found."""
