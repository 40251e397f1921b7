"""What runs while streaming, wired in one place."""
