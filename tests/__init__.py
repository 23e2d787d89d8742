"""Tests: through public doors, on real parts."""
