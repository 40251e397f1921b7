"""Pictures: what each kind shows, how it is painted, and the process that paints."""
