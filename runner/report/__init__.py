"""What a person reads: progress while it runs, a summary at the end, errors with a way out."""
