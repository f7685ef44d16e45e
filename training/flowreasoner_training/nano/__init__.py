"""The paper in miniature: small models trained from scratch on the miniature world, and how well they do (§5)."""
