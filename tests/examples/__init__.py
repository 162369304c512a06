"""The examples, each played by its own workflows."""
