"""The kinds of pictures: what each shows in one file, and how it is drawn in another that only the worker loads."""
