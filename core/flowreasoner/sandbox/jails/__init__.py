"""The host's side of the tiers that run Python itself: warm processes in jails, and runs in them."""
