"""All that runs inside the sandbox. Imports the standard library, NumPy, Matplotlib, IPython."""
