"""A judge for everybody's own engine: what is right, what is wrong, what is missing, and why."""

from chainrule.grader.grading import grade
from chainrule.grader.judge import Observation, Report, Result
from chainrule.grader.process import Limits

__all__ = ["Limits", "Observation", "Report", "Result", "grade"]
