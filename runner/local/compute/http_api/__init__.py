"""HTTP APIs: a control plane with deployments as snapshots, and the hosts that they answer on."""
