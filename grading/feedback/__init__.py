"""The page that a student gets back: marks, what is wrong and where, the student's own notebook."""

from grading.feedback.page import Grades, page

__all__ = ["Grades", "page"]
