"""Commands of the training, one module each; they are loaded when they are used."""
