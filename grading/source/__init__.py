"""The truth of an assignment: the course, the notebook, its cells, its mistakes."""
