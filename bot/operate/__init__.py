"""What operators steer: the stream, its symbols, the login."""
