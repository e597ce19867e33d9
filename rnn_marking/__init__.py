"""What the hidden tests of these notebooks import: inputs, derivatives, backward tests."""
