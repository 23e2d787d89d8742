"""A run of many models: choosing, planning, previewing, and what comes after the models."""
