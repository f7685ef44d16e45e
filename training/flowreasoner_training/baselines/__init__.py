"""The automatic methods that the paper compares with (Table 1) and that train a model: MaAS and ScoreFlow."""
