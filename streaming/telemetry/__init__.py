"""What telemetry tells, and where it is read."""
