"""What people ask for: models, patterns, settings, the file of mirrors."""
