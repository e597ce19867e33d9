"""What draws the pictures of these notebooks: shapes, colours, and the numbers in them."""
