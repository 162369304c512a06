"""The one package that talks to Docker."""
