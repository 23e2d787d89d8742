"""What no server has: models made up for tests, and the records of all models."""
