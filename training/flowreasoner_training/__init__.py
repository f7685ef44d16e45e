"""Training of FlowReasoner: distil, SFT, GRPO (§4.1-4.2). This version of the package does not train yet."""
