"""A submission marked: tests against the solution, their results, the mistakes by name."""
