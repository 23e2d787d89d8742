"""What happens behind the protocols: rights, domains, reading, writing, and the tables of the models."""
