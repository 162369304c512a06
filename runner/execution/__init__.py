"""Runs functions in real processes behind Lambda's Runtime API; knows nothing of AWS's accounts."""
