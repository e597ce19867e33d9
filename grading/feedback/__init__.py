"""The page that a student gets back: marks, what is wrong and where, the student's own notebook."""

from grading.feedback.pages import Pages

__all__ = ["Pages"]
