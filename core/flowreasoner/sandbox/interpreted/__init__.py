"""The tier that interprets: sessions of pydantic-monty, and how suites and scripts run in them."""
