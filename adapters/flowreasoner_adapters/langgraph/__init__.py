"""LangGraph: workflows as state graphs with a node per operator call, and a node factory."""
