"""The GitHub action: what a run of a workflow is to do, done in this process and told.

`runner.action.main` is the door; nothing here reads the environment but what it is handed.
"""
