"""Market data that nobody captured: chains, frames and answers in the vendors' shapes, made up, the same each time.

Nothing here imports `streaming`: what is made is worked out once more, so that reading it back proves something.
`python -m tests.data_builders FOLDER` writes the chains and frames as files.
"""
