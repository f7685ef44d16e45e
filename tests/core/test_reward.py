import pytest

from flowreasoner import Budget
from flowreasoner.budget import Spending
from flowreasoner.designers import Round
from flowreasoner.errors import QueryError
from flowreasoner.feedback import Evaluation, Feedback
from flowreasoner.reward import Reward, RewardContext, diversity, efficiency, performance, simplicity
from flowreasoner.workflow import Workflow

ONE = """class Workflow:
    async def __call__(self, problem):
        a = await self.custom(input=problem, instruction='x')
        return a['response']"""
LOOP = """class Workflow:
    async def __call__(self, problem):
        xs = []
        for _ in range(3):
            a = await self.custom(input=problem, instruction='x')
            if a['response']:
                xs.append(a['response'])
        b = await self.sc_ensemble(solutions=xs, problem=problem)
        return b['response']"""


def _round(source, score=0.5, calls=2):
    workflow = None if source is None else Workflow.parse(source)
    evaluations = () if source is None else (Evaluation("a", score, spent=Spending(calls=calls)),)
    return Round(1, "", "", workflow, "", "", Feedback(evaluations))


def test_performance_is_the_mean_score_and_0_for_a_refused_workflow():
    assert performance(_round(ONE, 0.75), RewardContext()) == 0.75
    assert performance(_round(None), RewardContext()) == 0.0


def test_simpler_workflows_score_higher():
    simple, elaborate = (simplicity(_round(source), RewardContext()) for source in (ONE, LOOP))
    assert 0 < elaborate < simple < 1
    assert simplicity(_round(None), RewardContext()) is None


def test_diversity_sees_structure_and_not_names_or_prompts():
    renamed = ONE.replace("a = ", "result = ").replace("a['", "result['").replace("'x'", "'other words'")
    earlier = RewardContext(earlier=[_round(ONE)])
    assert diversity(_round(ONE), RewardContext()) == 1.0
    assert diversity(_round(renamed), earlier) == 0.0
    assert diversity(_round(LOOP), earlier) == 1.0
    assert diversity(_round(None), earlier) is None


def test_efficiency_is_the_share_of_the_budget_left_over():
    assert efficiency(_round(ONE, calls=2), RewardContext(budget=Budget(calls=8))) == 0.75
    assert efficiency(_round(ONE), RewardContext()) is None
    assert efficiency(_round(ONE, calls=20), RewardContext(budget=Budget(calls=8))) == 0.0


def test_the_reward_is_the_weighted_sum_and_leaves_unscored_terms_out():
    reward = Reward({"performance": 1.0, "simplicity": 0.2, "diversity": 0.1, "efficiency": 0.5})
    item, context = _round(ONE, 0.5), RewardContext()
    scores = reward.scores(item, context)
    assert scores["efficiency"] is None
    assert reward.total(item, context) == pytest.approx(0.5 + 0.2 * scores["simplicity"] + 0.1)
    assert reward.total(_round(None), context) == 0.0


def test_an_unknown_term_is_named():
    with pytest.raises(QueryError, match="there is no reward term 'speed'; known are diversity, efficiency"):
        Reward({"speed": 1.0})
