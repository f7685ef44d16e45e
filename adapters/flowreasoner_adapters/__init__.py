"""Adapters of FlowReasoner: one module or small package per framework, imported on use."""
