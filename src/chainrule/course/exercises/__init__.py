"""The exercises: for each a right answer, and the wrong ones that are foreseen.

An answer is recognised by what it does: each wrong one here is an answer that somebody could give,
beside what is then said. So the table is its own list of tests.
"""

from __future__ import annotations

from chainrule.course.exercises import (
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    chapter_06,
    chapter_07,
    chapter_08,
    chapter_09,
    chapter_10,
    chapter_11,
    chapter_12,
)
from chainrule.course.judging import Exercise

EXERCISES: dict[str, Exercise] = {
    **chapter_01.EXERCISES,
    **chapter_02.EXERCISES,
    **chapter_03.EXERCISES,
    **chapter_04.EXERCISES,
    **chapter_05.EXERCISES,
    **chapter_06.EXERCISES,
    **chapter_07.EXERCISES,
    **chapter_08.EXERCISES,
    **chapter_09.EXERCISES,
    **chapter_10.EXERCISES,
    **chapter_11.EXERCISES,
    **chapter_12.EXERCISES,
}
