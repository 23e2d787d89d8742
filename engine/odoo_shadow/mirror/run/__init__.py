"""A run of many models: choosing, planning, dry runs, and the end of the run."""
