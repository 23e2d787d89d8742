"""Who may read the shadow: the reader's role, row-level security by company, rights on the project's own views."""
