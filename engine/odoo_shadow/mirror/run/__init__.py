"""A run of many models: choosing, planning, trying out, and what comes after the models."""
