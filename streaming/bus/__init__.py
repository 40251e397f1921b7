"""The Redis bus: names, shapes, publishing, snapshots, leases, and a server of our own."""
