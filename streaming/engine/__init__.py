"""When figures are computed anew, in a process of its own."""
