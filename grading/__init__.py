"""The package that publishes and marks the course's notebooks."""


class CourseError(Exception):
    """Something that whoever runs the command has to mend; one clear line."""
