"""What the triggerer runs for the sensors."""
