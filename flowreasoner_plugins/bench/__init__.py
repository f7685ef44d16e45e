"""Designers by benchmarks by workers: what ``flowreasoner bench`` runs, counts, tables and draws."""
