"""What developers run: the demo, the web interface, benchmarks, comparisons. Not part of the package."""
