"""Chains in files, whatever program wrote them: in which wrapping, language and layout they come."""
