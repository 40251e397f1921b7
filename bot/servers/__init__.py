"""What the admins of servers say of their own live messages, and where that is kept."""
