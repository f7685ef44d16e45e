"""The miniature: a worker and a meta-agent trained from scratch on two CPU cores, by the paper's whole pipeline."""
