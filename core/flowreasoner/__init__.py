"""Query-level meta-agents."""
