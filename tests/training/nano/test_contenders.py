from arenas import ONE, agent
from outcomes import an_outcome

from flowreasoner.designers import FlowReasoner
from flowreasoner_training.nano.contenders import best_candidate, candidates, trained


def test_trained_contenders_have_a_checkpoint_each():
    made = trained("grpo", {"seed 0": agent(), "seed 1": agent()}, FlowReasoner(4, 3))
    assert [(item.name, item.checkpoint) for item in made] == [("grpo", "seed 0"), ("grpo", "seed 1")]
    assert made[0].designer == FlowReasoner(4, 3)


def test_the_best_candidate_passes_most_and_costs_least():
    assert [(item.name, item.run_again) for item in candidates({"plain": ONE})] == [("candidate/plain", False)]
    outcomes = [
        an_outcome(contender=name, passed=passed, hidden=hidden, calls=calls)
        for name, passed, hidden, calls in [
            ("candidate/low", 0, 0.9, 1),
            ("candidate/dear", 1, 1, 9),
            ("candidate/cheap", 1, 1, 3),
            ("candidate/equal", 1, 1, 3),
        ]
    ]
    assert best_candidate(outcomes) == "candidate/cheap"
