"""What callers may do: sessions of roles are held against their role's policies and boundary."""
