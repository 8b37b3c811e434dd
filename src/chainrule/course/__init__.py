"""The course: the lecture as chapters to run and change, with exercises that are checked.

`chainrule course DIR` copies the chapters out of the package. They use what is named here.
"""

from chainrule.course.cells import chart, load, show
from chainrule.course.judging import check, judge

__all__ = ["chart", "check", "judge", "load", "show"]
