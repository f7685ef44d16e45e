"""GRPO with a reward per round (§4.2, Eq. 3 and 4), on TRL's trainer."""
