"""The miniature world: a family of small programming queries, made by a compositional grammar.

The models that the package ships were trained on it, from scratch; it is what they can do, and all they can do.
"""

from flowreasoner.miniature.queries import endless, queries, random_query, recognises

__all__ = ["endless", "queries", "random_query", "recognises"]
