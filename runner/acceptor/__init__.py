"""The program that takes requests in for functions that run in the background."""
