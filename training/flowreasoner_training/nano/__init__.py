"""The miniature models: trained from scratch on two cores, shipped in eight bits."""
