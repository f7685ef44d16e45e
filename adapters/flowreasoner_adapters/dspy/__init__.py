"""DSPy: workflows as modules with a named predictor per operator call, and a program generator."""
