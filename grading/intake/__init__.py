"""What students handed in: the only place where it is opened."""
