"""What a process of ours stands on: its children, signals, loopback servers, logs and `.env` file."""
