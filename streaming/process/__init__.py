"""What a process of ours stands on: children, signals, loopback servers, packed data, its logs and what it tells."""
