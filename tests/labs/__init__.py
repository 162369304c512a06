"""Labs: small worlds in which deploys are crossed, killed and robbed of answers."""
