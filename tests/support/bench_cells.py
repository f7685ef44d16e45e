"""A cell of a bench as its summary has it, made up for tests."""

__all__ = ["cell", "designer"]


def designer(share, *, leaky=0.0, usd=0.0, unpriced=0):
    estimate = {"value": share, "low": share - 0.1, "high": share + 0.1}
    per = dict.fromkeys(("rounds", "calls", "model_calls", "worker_tokens", "meta_tokens", "seconds"), 2.0)
    return {
        **dict.fromkeys(("pass@1", "hidden", "feedback"), estimate),
        "pass@2": {"value": share},
        "per_query": per | {"usd": usd},
        "unpriced_calls": unpriced,
        "misled": 0.0,
        "without_answer": 0.0,
        "leaky": leaky,
    }


def cell(**changes):
    pair = {"first": "a|b", "second": "c", "value": -0.2, "low": -0.3, "high": -0.0, "p": 0.5}
    made = {
        "benchmark": "demo",
        "worker": "openai:m?price=1,2",
        "simulated": [],
        "queries": 3,
        "attempts": 2,
        "not_run": {},
        "designers": {"a|b": designer(0.4, unpriced=1), "c": designer(0.6, usd=0.25)},
        "pairs": [pair | {"only_first": 1, "only_second": 4}],
    }
    return made | changes
