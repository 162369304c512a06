"""S3's rules around moto's store, and its REST hosts."""
