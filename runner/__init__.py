"""Deploys a JAMstack site with serverless functions into its owner's AWS account."""

__version__ = "0.1.0"
