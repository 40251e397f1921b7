"""The figures over HTTP, for other programs: levels, snapshots, history and events, read-only (specs/http-api.md)."""
