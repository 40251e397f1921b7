"""Tables that people save: in which wrapping, language and layout they come, read into columns."""
