"""The package that publishes and marks the course's notebooks."""

__version__ = "0.2.0"


class CourseError(Exception):
    """Something that whoever runs the command has to mend; one clear line."""


class MistakeStops(CourseError):
    """A mistake of the table stops where it is defined: no fault of whom a test is about."""
