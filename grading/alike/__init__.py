"""
Which submissions are alike beyond what the class writes anyway: a page for a person's eye.

It compares what students wrote themselves, names and layout left aside, and weighs what two have
in common by how few others have it. It accuses nobody, and changes no mark.
"""

from grading.alike.page import write_page

__all__ = ["write_page"]
