"""The entry Lambda: answers what the bucket has no object for. Standard library only."""
