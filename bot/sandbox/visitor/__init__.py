"""A person at the page: what they see and do."""
