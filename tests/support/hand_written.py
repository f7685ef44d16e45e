"""Workflows written by hand in every style of the language, for comparisons of the ways to run them.

`PUBLISHED` are in the styles of AFlow's published workflows; `ADVERSARIAL` are what a backend gets wrong first:
jumps out of nested regions, values that are shared, variables named like a graph's own keys.
"""

from __future__ import annotations

import textwrap
from typing import NamedTuple

from programs import PROMPTS

__all__ = ["ADVERSARIAL", "HAND_WRITTEN", "PUBLISHED", "HandWritten"]


class HandWritten(NamedTuple):
    """One workflow.

    Attributes:
        name: What it is about, unique.
        source: Its source.
        prompts: Its prompt constants.
        arguments: What its entry method is called with.
    """

    name: str
    source: str
    prompts: dict[str, str]
    arguments: dict[str, str]


_ARGUMENTS = {"problem": "P a", "entry_point": "solve"}


def _written(name: str, body: str, members: str = "", *, parameters: str = "problem") -> HandWritten:
    text = f"class Workflow:\n    async def __call__(self, {parameters}):\n"
    text += textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8) + "\n"
    if members:
        text += "\n" + textwrap.indent(textwrap.dedent(members).strip("\n"), " " * 4) + "\n"
    arguments = {key: value for key, value in _ARGUMENTS.items() if key in parameters}
    return HandWritten(name, text, PROMPTS, arguments)


_AFLOW = '''\
from typing import Literal
import workspace.HumanEval.workflows.template.operator as operator
import workspace.HumanEval.workflows.round_3.prompt as prompt_custom
from metagpt.provider.llm_provider_registry import create_llm_instance
from metagpt.utils.cost_manager import CostManager

DatasetType = Literal["HumanEval", "MBPP", "GSM8K", "MATH", "HotpotQA", "DROP"]

class Workflow:
    def __init__(self, name: str, llm_config, dataset: DatasetType) -> None:
        self.name = name
        self.dataset = dataset
        self.llm = create_llm_instance(llm_config)
        self.llm.cost_manager = CostManager()
        self.custom = operator.Custom(self.llm)
        self.custom_code_generate = operator.CustomCodeGenerate(self.llm)
        self.sc_ensemble = operator.ScEnsemble(self.llm)
        self.test = operator.Test(self.llm)

    async def __call__(self, problem: str, entry_point: str):
        """
        Implementation of the workflow
        """
        solutions = []
        for _ in range(3):  # Generate 3 solutions
            solution = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction=prompt_custom.SOLVE)
            solutions.append(solution['response'])

        best_solution = await self.sc_ensemble(solutions=solutions, problem=problem)
        test_result = await self.test(problem=problem, solution=best_solution['response'], entry_point=entry_point)

        if test_result['result']:
            return test_result['solution'], self.llm.cost_manager.total_cost
        else:
            improved = await self.custom(input=f"Problem: {problem}\\nFailed: {test_result['solution']}", instruction=prompt_custom.CHECK)
            return improved['response'], self.llm.cost_manager.total_cost
'''  # noqa: E501 - as published

PUBLISHED = [
    HandWritten("aflow-file", _AFLOW, PROMPTS, _ARGUMENTS),
    _written("one-call", "return (await self.custom(input=problem, instruction=prompt_custom.SOLVE))['response']"),
    _written(
        "answer-and-cost",
        """
        solution = await self.custom(input=problem, instruction="")
        return solution['response'], self.llm.cost_manager.total_cost
        """,
    ),
    _written(
        "chain-of-three",
        """
        plan = await self.custom(input=problem, instruction="Plan.")
        code = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction=plan['response'])
        final = await self.format(problem=problem, solution=code['response'])
        return final['solution']
        """,
        parameters="problem, entry_point",
    ),
    _written(
        "independent-calls",
        """
        facts = await self.custom(input=problem, instruction="Facts.")
        plan = await self.custom(input=problem, instruction="Plan.")
        risks = await self.custom(input=problem, instruction="Risks.")
        together = facts['response'] + plan['response'] + risks['response']
        return (await self.custom(input=together, instruction=prompt_custom.SOLVE))['response']
        """,
    ),
    _written(
        "samples-and-ensemble",
        """
        solutions = []
        for _ in range(5):
            solution = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
            solutions.append(solution['response'])
        best = await self.sc_ensemble(solutions=solutions, problem=problem)
        return best['response'], self.llm.cost_manager.total_cost
        """,
    ),
    _written(
        "numbered-samples",
        """
        solutions = []
        for index in range(4):
            solution = await self.custom(input=f"{problem} (attempt {index + 1})", instruction=prompt_custom.SOLVE)
            solutions.append(f"{index}: {solution['response'].strip()}")
        return "\\n".join(solutions)
        """,
    ),
    _written(
        "comprehension-of-samples",
        """
        drafts = [(await self.custom(input=problem + str(i), instruction="x"))['response'] for i in range(3)]
        return (await self.sc_ensemble(solutions=drafts))['response']
        """,
    ),
    _written(
        "two-ensembles",
        """
        one, two = [], []
        for _ in range(2):
            a = await self.custom(input=problem, instruction="one")
            b = await self.answer_generate(input=problem)
            one.append(a['response'])
            two.append(b['answer'])
        first = await self.sc_ensemble(solutions=one, problem=problem)
        second = await self.sc_ensemble(solutions=two, problem=problem)
        return first['response'] + second['response']
        """,
    ),
    _written(
        "test-and-retry",
        """
        solution = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction="")
        for attempt in range(3):
            result = await self.test(problem=problem, solution=solution['response'], entry_point=entry_point)
            if result['result']:
                return result['solution']
            solution = await self.custom_code_generate(
                problem=problem + result['solution'], entry_point=entry_point, instruction=f"Attempt {attempt}"
            )
        return solution['response']
        """,
        parameters="problem, entry_point",
    ),
    _written(
        "retry-until-break",
        """
        text, tries = "", 0
        while tries < 4:
            tries += 1
            draft = await self.custom(input=f"{problem} {tries}", instruction=prompt_custom.SOLVE)
            text = draft['response']
            if 'a' in text:
                break
        return f"{text} after {tries}"
        """,
    ),
    _written(
        "review-revise",
        """
        solution = (await self.custom(input=problem, instruction=prompt_custom.SOLVE))['response']
        for _ in range(3):
            review = await self.review(problem=problem, solution=solution)
            if review['review_result']:
                break
            revised = await self.revise(problem=problem, solution=solution, feedback=review['feedback'])
            solution = revised['solution']
        return solution
        """,
    ),
    _written(
        "review-all-samples",
        """
        good = []
        for i in range(4):
            draft = await self.custom(input=problem + str(i), instruction="x")
            review = await self.review(problem=problem, solution=draft['response'])
            if review['review_result']:
                good.append(draft['response'])
        if not good:
            return "none was good"
        return (await self.sc_ensemble(solutions=good, problem=problem))['response']
        """,
    ),
    _written(
        "nested-conditions",
        """
        draft = await self.custom(input=problem, instruction="x")
        if 'a' in draft['response']:
            review = await self.review(problem=problem, solution=draft['response'])
            if review['review_result']:
                answer = draft['response']
            elif len(review['feedback']) > 3:
                fixed = await self.revise(problem=problem, solution=draft['response'], feedback=review['feedback'])
                answer = fixed['solution']
            else:
                answer = "short"
        else:
            other = await self.custom(input=draft['response'], instruction="y")
            answer = other['response']
        return answer
        """,
    ),
    _written(
        "router",
        """
        kind = (await self.custom(input=problem, instruction="math or code?"))['response'].strip().lower()
        if kind.startswith('a'):
            result = await self.programmer(problem=problem)
            return str(result['output'])
        elif kind.startswith('b'):
            result = await self.answer_generate(input=problem)
            return result['answer']
        return (await self.custom(input=problem, instruction="else"))['response']
        """,
    ),
    _written(
        "early-return",
        """
        first = await self.test(problem=problem, solution="x", entry_point="f")
        if first['result']:
            return first['solution'], self.llm.cost_manager.total_cost
        second = await self.test(problem=problem, solution=first['solution'], entry_point="f")
        if second['result']:
            return second['solution'], self.llm.cost_manager.total_cost
        return "failed", self.llm.cost_manager.total_cost
        """,
    ),
    _written(
        "early-return-in-loop",
        """
        for i in range(3):
            for j in range(2):
                probe = await self.custom(input=f"{problem} {i} {j}", instruction="x")
                if 'c' in probe['response']:
                    return f"{i}{j} {probe['response']}"
        return "none"
        """,
    ),
    _written(
        "try-int",
        """
        solution = await self.custom(input=problem, instruction="number")
        try:
            number = int(solution['response'].strip())
        except ValueError:
            retry = await self.custom(input=solution['response'], instruction="only the number")
            number = len(retry['response'])
        return str(number)
        """,
    ),
    _written(
        "try-around-call",
        """
        try:
            solution = await self.custom(input=problem, instruction="x")
            text = solution['response'] + {}['missing']
        except Exception as e:
            text = f"Error: {e}"
            again = await self.custom(input=text, instruction="y")
            text += again['response']
        return text
        """,
    ),
    _written(
        "try-in-loop",
        """
        found = []
        for i in range(4):
            try:
                draft = await self.custom(input=f"{problem}{i}", instruction="x")
                found.append(draft['response'])
                if i == 1:
                    raise_it = {}['x']
                if i == 3:
                    continue
                found.append("end")
            except KeyError:
                found.append("key")
                continue
        return ",".join(found)
        """,
    ),
    _written(
        "gather",
        """
        first, second = await asyncio.gather(
            self.custom(input=problem, instruction="one"), self.answer_generate(input=problem)
        )
        return first['response'] + second['answer']
        """,
    ),
    _written(
        "gather-comprehension",
        """
        results = await asyncio.gather(*[self.custom(input=problem, instruction=str(i)) for i in range(4)])
        texts = [result['response'].strip() for result in results]
        return (await self.sc_ensemble(solutions=texts, problem=problem))['response']
        """,
    ),
    _written(
        "gather-tasks",
        """
        tasks = []
        for i in range(3):
            tasks.append(self.custom(input=problem, instruction=f"sample {i}"))
        results = await asyncio.gather(*tasks)
        return ' '.join([r['response'] for r in results])
        """,
    ),
    _written(
        "helper",
        """
        text = await self.solve(problem)
        return self.clean(text)
        """,
        """
        async def solve(self, question):
            draft = await self.custom(input=question, instruction=prompt_custom.SOLVE)
            if not draft['response'].strip():
                return "empty"
            return draft['response']

        def clean(self, text):
            return text.strip().upper()
        """,
    ),
    _written(
        "helper-in-loop",
        """
        texts = []
        for i in range(3):
            texts.append(await self.attempt(problem, number=i))
        return ' | '.join(texts)
        """,
        """
        async def attempt(self, question, number=0, suffix='!'):
            draft = await self.custom(input=question + str(number) + suffix, instruction=prompt_custom.SOLVE)
            test = await self.test(problem=question, solution=draft['response'], entry_point='f')
            if test['result']:
                return test['solution']
            return draft['response'] + ' failed'
        """,
    ),
    _written(
        "gathered-helper",
        """
        results = await asyncio.gather(*[self.attempt(problem, i) for i in range(3)])
        return ' | '.join(results)
        """,
        """
        async def attempt(self, question, number):
            draft = await self.custom(input=question + str(number), instruction="x")
            for _ in range(2):
                review = await self.review(problem=question, solution=draft['response'])
                if review['review_result']:
                    return draft['response']
                draft = await self.custom(input=draft['response'], instruction=review['feedback'])
            return "gave up on " + draft['response']
        """,
    ),
    _written(
        "prompt-rewritten",
        """
        first = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
        prompt_custom.SOLVE = prompt_custom.SOLVE + " Not like this: " + first['response']
        second = await self.custom(input=problem, instruction=prompt_custom.SOLVE)
        return second['response'] + prompt_custom.SOLVE
        """,
    ),
    _written(
        "prompt-rewritten-in-loop",
        """
        for i in range(3):
            draft = await self.custom(input=problem, instruction=prompt_custom.CHECK)
            prompt_custom.CHECK += draft['response']
            if i > 0:
                prompt_custom.SOLVE = f"round {i}"
        last = await self.custom(input=problem, instruction=prompt_custom.SOLVE + prompt_custom.CHECK)
        return last['response']
        """,
    ),
    _written(
        "prompt-format",
        """
        text = prompt_custom.FILL.format(a=problem, b=len(problem))
        return (await self.custom(input=text, instruction=prompt_custom.CHECK.strip()))['response']
        """,
    ),
    _written(
        "majority-by-counter",
        """
        from collections import Counter
        votes = []
        for i in range(5):
            vote = await self.custom(input=problem + str(i), instruction="x")
            votes.append(vote['response'].strip()[:1])
        counts = Counter(votes)
        best, most = counts.most_common(1)[0]
        return f"{best} {most} of {sum(counts.values())}"
        """,
    ),
    _written(
        "json-reply",
        """
        reply = await self.custom(input=problem, instruction="JSON")
        try:
            data = json.loads(reply['response'])
        except json.JSONDecodeError as error:
            data = {"answer": reply['response'].strip(), "why": "no JSON"}
        again = await self.custom(input=json.dumps(data), instruction=data["why"])
        return data["answer"] + again['response']
        """,
    ),
    _written(
        "regex",
        r"""
        reply = await self.custom(input=problem, instruction="x")
        found = re.search(r'(\d+)', reply['response'])
        number = int(found.group(1)) if found else 0
        check = await self.custom(input=str(number), instruction=prompt_custom.CHECK)
        return re.sub(r'\d', '#', check['response']) + str(number)
        """,
    ),
    _written(
        "dictionary-of-results",
        """
        results = {}
        for name in ["plan", "code", "tests"]:
            draft = await self.custom(input=problem, instruction=name)
            results[name] = draft['response']
        return "; ".join(f"{key}={value}" for key, value in results.items())
        """,
    ),
    _written(
        "enumerate-and-sort",
        """
        scored = []
        for i, word in enumerate(["x", "yy", "zzz"]):
            draft = await self.custom(input=word, instruction=str(i))
            scored.append((len(draft['response']), i, draft['response']))
        scored.sort(key=lambda item: (-item[0], item[1]))
        return str(scored[0][2]) + str(len(scored))
        """,
    ),
    _written(
        "zip-of-results",
        """
        drafts, reviews = [], []
        for i in range(3):
            draft = await self.custom(input=problem, instruction=str(i))
            drafts.append(draft['response'])
        for draft in drafts:
            review = await self.review(problem=problem, solution=draft)
            reviews.append(review)
        lines = [f"{d}: {r['feedback']}" for d, r in zip(drafts, reviews) if r['review_result']]
        return "\\n".join(lines) or "none"
        """,
    ),
    _written(
        "condition-with-await",
        """
        if (await self.test(problem=problem, solution="x", entry_point="f"))['result'] and (
            await self.review(problem=problem, solution="x")
        )['review_result']:
            return "good"
        return "bad" if (await self.custom(input=problem, instruction="x"))['response'] else "empty"
        """,
    ),
    _written(
        "while-with-await",
        """
        rounds = 0
        while not (await self.review(problem=problem, solution=str(rounds)))['review_result'] and rounds < 4:
            rounds += 1
        return str(rounds)
        """,
    ),
    _written(
        "logging",
        """
        print("start", problem)
        draft = await self.custom(input=problem, instruction="x")
        print(f"draft: {draft['response']}")
        return draft['response']
        """,
    ),
    _written(
        "context-grows",
        """
        history = ""
        for step in range(3):
            thought = await self.answer_generate(input=problem + history)
            history += f"\\nStep {step}: {thought['thought']}"
            if "c" in thought['answer']:
                history += " (sure)"
        return history
        """,
    ),
    _written(
        "debate",
        """
        optimist, sceptic = "yes", "no"
        for _ in range(2):
            one = await self.custom(input=problem + sceptic, instruction="optimist")
            other = await self.custom(input=problem + optimist, instruction="sceptic")
            optimist, sceptic = one['response'], other['response']
        return (await self.sc_ensemble(solutions=[optimist, sceptic], problem=problem))['response']
        """,
    ),
    _written(
        "md-ensemble",
        """
        drafts = []
        for _ in range(3):
            draft = await self.custom_code_generate(problem=problem, entry_point=entry_point, instruction="")
            drafts.append(draft['response'])
        best = await self.md_ensemble(solutions=drafts, problem=problem)
        return best['solution']
        """,
        parameters="problem, entry_point",
    ),
]

ADVERSARIAL = [
    _written(
        "jumps-through-finally",
        """
        log = []
        for i in range(4):
            try:
                try:
                    draft = await self.custom(input=str(i), instruction="x")
                    if i == 1:
                        continue
                    if i == 2:
                        break
                    log.append(draft['response'])
                finally:
                    after = await self.custom(input=f"inner {i}", instruction="f")
                    log.append(after['response'])
            finally:
                log.append(f"outer {i}")
        else:
            log.append("never")
        return ",".join(log)
        """,
    ),
    _written(
        "return-through-finally",
        """
        seen = []
        for i in range(3):
            try:
                draft = await self.custom(input=str(i), instruction="x")
                if i == 1:
                    return draft['response'] + str(seen)
            finally:
                last = await self.custom(input=f"{i} {len(seen)}", instruction="finally")
                seen.append(last['response'])
        return "end"
        """,
    ),
    _written(
        "return-value-before-finally",
        """
        text = "before"
        try:
            draft = await self.custom(input=problem, instruction="x")
            return text + draft['response']
        finally:
            text = (await self.custom(input=text, instruction="late"))['response']
        """,
    ),
    _written(
        "finally-replaces-the-return",
        """
        for i in range(2):
            try:
                draft = await self.custom(input=str(i), instruction="x")
                return draft['response']
            finally:
                if i == 0:
                    continue
        return "loop ended"
        """,
    ),
    _written(
        "error-in-handler",
        """
        log = ""
        try:
            try:
                draft = await self.custom(input=problem, instruction="x")
                log += draft['response'] + {}['nothing']
            except KeyError:
                log += "key "
                log += problem.split("x")[3]
            finally:
                log += (await self.custom(input=log, instruction="f"))['response']
        except IndexError as error:
            log += f" index {error}"
        return log
        """,
    ),
    _written(
        "error-after-finally",
        """
        try:
            x = await self.custom(input=problem, instruction="x")
            y = int(x['response'] + 'z')
        finally:
            z = await self.custom(input=problem, instruction="cleanup")
        return "unreached" + str(y)
        """,
    ),
    _written(
        "try-else",
        """
        parts = []
        for i in range(3):
            try:
                draft = await self.custom(input=str(i), instruction="x")
                number = 1 // (i - 1)
            except ZeroDivisionError:
                parts.append("zero")
            else:
                more = await self.custom(input=draft['response'], instruction=str(number))
                parts.append(more['response'])
        return ",".join(parts)
        """,
    ),
    _written(
        "handlers-in-order",
        """
        log = []
        for i in range(4):
            try:
                draft = await self.custom(input=str(i), instruction="x")
                value = {0: 1, 2: []}[i]
                number = int(draft['response']) if i == 0 else value[3]
            except (KeyError, IndexError) as error:
                log.append(f"lookup {error}")
            except ValueError:
                log.append("value")
            except Exception:
                log.append("other")
        return ",".join(log)
        """,
    ),
    _written(
        "error-variable-is-gone",
        """
        error = "before"
        try:
            draft = await self.custom(input=problem, instruction="x")
            text = draft['response'] + {}['nothing']
        except KeyError as problem_found:
            error = str(problem_found)
            await self.custom(input=error, instruction="y")
        return error
        """,
    ),
    _written(
        "handler-used-twice",
        """
        tries = 0
        while True:
            try:
                tries += 1
                draft = await self.custom(input=str(tries), instruction="x")
                text = {"3": draft['response']}[str(tries)]
                break
            except KeyError as error:
                note = await self.custom(input=str(error), instruction="why")
                if tries > 5:
                    return "never"
        return text + note['response'] + str(tries)
        """,
    ),
    _written(
        "while-else",
        """
        n = 0
        while n < 3:
            n += 1
            draft = await self.custom(input=str(n), instruction="x")
            if draft['response'] == "never":
                break
        else:
            last = await self.custom(input="else", instruction="y")
            return last['response'] + str(n)
        return "broken"
        """,
    ),
    _written(
        "for-else-with-break",
        """
        for i in range(5):
            draft = await self.custom(input=str(i), instruction="x")
            if i == 2:
                break
        else:
            i = 99
        return f"{i} {draft['response']}"
        """,
    ),
    _written(
        "coroutine-in-a-variable",
        """
        waiting = self.custom(input=problem, instruction="later")
        first = await self.custom(input=problem, instruction="now")
        second = await waiting
        return first['response'] + second['response']
        """,
    ),
    _written(
        "two-coroutines-awaited-apart",
        """
        first = self.custom(input="a", instruction="x")
        if len(problem) > 1:
            second = self.custom(input="b", instruction="x")
        one = await first
        text = one['response'].strip()
        two = await second
        return text + two['response']
        """,
    ),
    _written(
        "two-helpers-awaited-apart",
        """
        waiting = [self.ask("a"), self.ask("b")]
        one = await waiting[0]
        two = await waiting[1]
        return one + two
        """,
        """
        async def ask(self, text):
            draft = await self.custom(input=text, instruction="x")
            return draft['response']
        """,
    ),
    _written(
        "coroutine-with-old-arguments",
        """
        text = "old"
        waiting = self.custom(input=text, instruction="x")
        text = "new"
        other = await self.custom(input=text, instruction="x")
        return (await waiting)['response'] + other['response']
        """,
    ),
    _written(
        "coroutines-in-a-dictionary",
        """
        waiting = {"a": self.custom(input="a", instruction="x"), "b": self.answer_generate(input="b")}
        results = await asyncio.gather(*waiting.values())
        return results[0]['response'] + results[1]['answer'] + "".join(waiting.keys())
        """,
    ),
    _written(
        "coroutines-awaited-in-a-loop",
        """
        tasks = [self.custom(input=str(i), instruction="x") for i in range(3)]
        texts = []
        for task in tasks:
            result = await task
            texts.append(result['response'])
        return ",".join(texts)
        """,
    ),
    _written(
        "mixed-coroutines-by-condition",
        """
        tasks = [self.custom(input=problem, instruction="a")]
        if len(problem) > 1:
            tasks.append(self.answer_generate(input=problem))
        tasks = tasks + [self.helper(problem)]
        results = await asyncio.gather(*tasks)
        return str([sorted(r.items()) if i < 2 else r for i, r in enumerate(results)])
        """,
        """
        async def helper(self, text):
            got = await self.custom(input=text, instruction="helper")
            return got['response']
        """,
    ),
    _written(
        "gather-return-exceptions",
        """
        results = await asyncio.gather(
            self.good(problem), self.bad(problem), self.good("other"), return_exceptions=True
        )
        texts = ["error " + str(r) if isinstance(r, Exception) else r for r in results]
        return ",".join(texts)
        """,
        """
        async def good(self, text):
            return (await self.custom(input=text, instruction="x"))['response']

        async def bad(self, text):
            got = await self.custom(input=text, instruction="bad")
            return got['response'] + {}['nothing']
        """,
    ),
    _written(
        "exception-kept-over-calls",
        """
        results = await asyncio.gather(self.bad(problem), return_exceptions=True)
        kept = results[0]
        more = await self.custom(input=problem, instruction="x")
        kind = "value" if isinstance(kept, ValueError) else "key" if isinstance(kept, KeyError) else "other"
        return kind + str(kept) + more['response']
        """,
        """
        async def bad(self, text):
            got = await self.custom(input=text, instruction="bad")
            return int(got['response'] + "x")
        """,
    ),
    _written(
        "gather-of-nothing",
        """
        tasks = [self.custom(input=word, instruction="x") for word in problem.split() if word == "missing"]
        results = await asyncio.gather(*tasks)
        last = await self.custom(input=str(len(results)), instruction="y")
        return last['response']
        """,
    ),
    _written(
        "gather-caught",
        """
        try:
            one, two = await asyncio.gather(self.bad(problem), self.custom(input=problem, instruction="x"))
            text = one + two['response']
        except KeyError as error:
            text = f"caught {error}"
        return text
        """,
        """
        async def bad(self, text):
            got = await self.custom(input=text, instruction="bad")
            return got['response'] + {}['nothing']
        """,
    ),
    _written(
        "helper-defaults-and-keywords",
        """
        a = await self.ask(problem)
        b = await self.ask(problem, times=2)
        c = await self.ask(text=a, mark='?', times=0)
        return a + b + c
        """,
        """
        async def ask(self, text, mark='!', times=1):
            out = text
            for _ in range(times):
                out = (await self.custom(input=out + mark, instruction="x"))['response']
            return out
        """,
    ),
    _written(
        "helper-calls-helper",
        """
        first = await self.outer(problem)
        second = await self.outer(first)
        return first + second
        """,
        """
        async def outer(self, text):
            x = await self.inner(text, 1)
            y = await self.inner(x, 2)
            return x + y

        async def inner(self, x, y):
            draft = await self.custom(input=x, instruction=str(y))
            if y == 2:
                return self.tidy(draft['response'], y)
            return draft['response']

        def tidy(self, text, width=3):
            text = text.strip()
            return text[:width].rjust(width, '.')
        """,
    ),
    _written(
        "helper-returns-nothing",
        """
        nothing = await self.note(problem)
        pair = await self.both(problem)
        return str(nothing) + pair[0] + str(pair[1])
        """,
        """
        async def note(self, text):
            await self.custom(input=text, instruction="note")

        async def both(self, text):
            draft = await self.custom(input=text, instruction="both")
            return draft['response'], len(text)
        """,
    ),
    _written(
        "helper-return-through-finally",
        """
        text = "start"
        try:
            text = await self.inner(problem)
        finally:
            end = await self.custom(input=text, instruction="outer")
        return text + end['response']
        """,
        """
        async def inner(self, text):
            for i in range(3):
                try:
                    draft = await self.custom(input=text + str(i), instruction="x")
                    if i == 1:
                        return draft['response']
                except ValueError:
                    return "no"
                finally:
                    note = await self.custom(input=str(i), instruction="inner finally")
            return "end"
        """,
    ),
    _written(
        "helper-raises-into-try",
        """
        try:
            text = await self.inner(problem)
        except IndexError as error:
            text = f"index: {error}"
        except KeyError as error:
            text = f"key: {error}"
        return text + (await self.custom(input=text, instruction="after"))['response']
        """,
        """
        async def inner(self, text):
            draft = await self.custom(input=text, instruction="x")
            return draft['response'] + {}['k']
        """,
    ),
    _written(
        "names-of-graph-keys",
        """
        answer = (await self.custom(input=problem, instruction="answer"))['response']
        results = [answer]
        failed = False
        prompts = {"a": answer}
        links = results
        position = 3
        requests = []
        for inputs in range(2):
            feedback = await self.custom(input=str(inputs), instruction=answer)
            requests.append(feedback['response'])
            links.append(str(position))
        state = await self.review(problem=problem, solution=answer)
        run = state['feedback'] + str(failed)
        graph = await self.custom(input=run, instruction=prompts["a"])
        steps = len(graph)
        return ",".join(results + requests + [run, str(steps), str(position)])
        """,
    ),
    _written(
        "names-of-nodes",
        """
        test_1 = await self.test(problem=problem, solution="x", entry_point="f")
        custom_1 = await self.custom(input=test_1['solution'], instruction="x")
        prepare = custom_1['response']
        finish = []
        for collect in range(3):
            custom_2 = await self.custom(input=str(collect), instruction=prepare)
            finish.append(custom_2['response'])
        collect_finish = ",".join(finish)
        handle_error = "none"
        try:
            build = await self.custom(input=collect_finish, instruction="y")
            prepare = build['response'] + {}['nothing']
        except KeyError as after_custom_1:
            handle_error = str(after_custom_1)
        return prepare + collect_finish + handle_error
        """,
    ),
    _written(
        "names-of-an-exported-module",
        """
        Run = (await self.custom(input=problem, instruction="x"))['response']
        Steps = Run + "s"
        path = [Steps]
        collected = await self.custom(input=Steps, instruction="y")
        END = "end"
        START = collected['response']
        send_requests = await self.custom(input=START + END, instruction=path[0])
        StateGraph = build = send_requests['response']
        model = Any = settings = build
        return model + Any + settings + StateGraph + END
        """,
    ),
    HandWritten(
        "prompt-named-like-a-variable",
        textwrap.dedent(
            """\
            class Workflow:
                async def __call__(self, problem):
                    solve = "variable"
                    SOLVE = await self.custom(input=solve, instruction=prompt_custom.SOLVE)
                    answer = await self.custom(input=SOLVE['response'], instruction=prompt_custom.answer)
                    run = prompt_custom.run + prompt_custom.problem
                    prompt_custom.problem = "changed"
                    last = await self.custom(input=run + problem, instruction=prompt_custom.problem)
                    return solve + answer['response'] + last['response'] + prompt_custom.SOLVE
            """
        ),
        {"SOLVE": "Solve.", "answer": "Answer.", "run": "Run.", "problem": "Problem."},
        {"problem": "P a"},
    ),
    _written(
        "body-changes-its-list",
        """
        words = ["a", "b"]
        seen = []
        for word in words:
            draft = await self.custom(input=word, instruction="x")
            seen.append(word + draft['response'])
            if len(words) < 5:
                words.append(word + "!")
        return ",".join(seen)
        """,
    ),
    _written(
        "body-shrinks-its-list",
        """
        words = ["a", "b", "c", "d"]
        seen = []
        for word in words:
            await self.custom(input=word, instruction="x")
            seen.append(word)
            words.remove(word)
        return ",".join(seen) + str(words)
        """,
    ),
    _written(
        "body-rebinds-its-list",
        """
        words = ["a", "b", "c"]
        seen = []
        for word in words:
            draft = await self.custom(input=word, instruction="x")
            words = [draft['response']]
            seen.append(word)
        return ",".join(seen + words)
        """,
    ),
    _written(
        "alias-changes-the-list",
        """
        words = ["a", "b"]
        alias = words
        seen = []
        for word in words:
            draft = await self.custom(input=word, instruction="x")
            seen.append(draft['response'])
            if len(alias) < 4:
                alias.append("more")
        return ",".join(seen) + str(len(words))
        """,
    ),
    _written(
        "helper-changes-the-list",
        """
        words = ["a", "b"]
        seen = []
        for word in words:
            draft = await self.custom(input=word, instruction="x")
            seen.append(draft['response'])
            self.more(words, word)
        return ",".join(seen) + str(words)
        """,
        """
        def more(self, items, word):
            if len(items) < 4:
                items.append(word + "!")
        """,
    ),
    _written(
        "loop-in-a-helper-over-its-callers-list",
        """
        words = ["a", "b"]
        text = await self.every(words)
        return text + str(words)
        """,
        """
        async def every(self, words):
            same = words
            out = ""
            for word in words:
                draft = await self.custom(input=word, instruction="x")
                out += draft['response']
                if word == "a":
                    same.append("c")
            return out
        """,
    ),
    _written(
        "loop-over-a-dictionary-of-lists",
        """
        groups = {"a": [], "b": []}
        for name in groups:
            draft = await self.custom(input=name, instruction="x")
            groups[name].append(draft['response'])
        for item in groups["a"]:
            draft = await self.custom(input=item, instruction="y")
            if len(groups["a"]) < 3:
                groups["a"].append(draft['response'])
        return str(groups)
        """,
    ),
    _written(
        "number-under-another-name",
        """
        words = ["a"]
        alias = words
        alias.append(3)
        draft = await self.custom(input=problem, instruction="a")
        text = ",".join(words)
        more = await self.custom(input=problem, instruction="b")
        return draft['response'] + more['response'] + text
        """,
    ),
    _written(
        "number-by-a-helper",
        """
        words = ["a"]
        self.number(words)
        draft = await self.custom(input=problem, instruction="a")
        text = ",".join(words)
        more = await self.custom(input=problem, instruction="b")
        return draft['response'] + more['response'] + text
        """,
        """
        def number(self, items):
            items.append(3)
        """,
    ),
    _written(
        "number-through-a-dictionary",
        """
        words = ["a"]
        table = {"k": words}
        table["k"].append(3)
        draft = await self.custom(input=problem, instruction="a")
        text = ",".join(words)
        more = await self.custom(input=problem, instruction="b")
        return draft['response'] + more['response'] + text
        """,
    ),
    _written(
        "aliases-over-calls",
        """
        rows = [[]] * 2
        first = rows[0]
        other = {"list": first, "copy": list(first)}
        draft = await self.custom(input=problem, instruction="x")
        first.append(draft['response'])
        again = await self.custom(input=str(rows), instruction="y")
        other["list"].append(again['response'])
        last = await self.custom(input="z", instruction="z")
        rows[1].append(last['response'])
        return str(first) + str(rows) + str(other)
        """,
    ),
    _written(
        "alias-of-a-result",
        """
        draft = await self.custom(input=problem, instruction="x")
        same = draft
        more = await self.custom(input=problem, instruction="y")
        same['response'] = "changed"
        last = await self.custom(input=draft['response'], instruction=more['response'])
        return draft['response'] + last['response'] + str(same == draft)
        """,
    ),
    _written(
        "list-handed-to-a-helper",
        """
        log = []
        a = await self.add(log, problem)
        b = await self.add(log, a)
        self.mark(log)
        end = await self.custom(input=str(log), instruction="end")
        return ",".join(log) + end['response']
        """,
        """
        async def add(self, log, text):
            draft = await self.custom(input=text, instruction="x")
            log.append(draft['response'])
            return draft['response']

        def mark(self, log):
            log.append("marked")
        """,
    ),
    _written(
        "sets-and-tuples-over-calls",
        """
        words = {"x", "y"}
        pair = (problem, len(problem))
        nested = {"key": ({1, 2}, [("a", 1.5), None])}
        draft = await self.custom(input=problem, instruction="x")
        words.add(draft['response'])
        a, b = pair
        after = await self.custom(input=a, instruction=str(b))
        numbers, rest = nested["key"]
        return str(sorted(words)) + after['response'] + str(sorted(numbers)) + str(rest) + str(pair)
        """,
    ),
    _written(
        "counter-over-calls",
        """
        from collections import Counter
        counts = Counter("abca")
        first = await self.custom(input=problem, instruction="x")
        counts[first['response'].strip()[:1]] += 2
        second = await self.custom(input=str(counts["nothing"]), instruction="y")
        counts.update(second['response'].strip())
        third = await self.custom(input="z", instruction="z")
        return str(sorted(counts.items())) + str(counts.most_common(1)) + third['response']
        """,
    ),
    _written(
        "fractions-over-calls",
        """
        from fractions import Fraction
        half = Fraction(1, 2)
        draft = await self.custom(input=str(half), instruction="x")
        third = half * Fraction(2, 3)
        more = await self.custom(input=str(third), instruction=draft['response'])
        return f"{third + half} {float(third):.3f} " + more['response']
        """,
    ),
    _written(
        "dictionary-with-odd-keys",
        """
        table = {1: "one", (2, "b"): "pair", None: "none", "$tuple": [1], False: "false"}
        draft = await self.custom(input=problem, instruction="x")
        table[len(table)] = draft['response']
        more = await self.custom(input=str(table[(2, "b")]), instruction="y")
        return str(list(table.items())) + more['response']
        """,
    ),
    _written(
        "dollar-keys",
        """
        value = {"$set": ["a"], "$error": 1}
        only = {"$counter": []}
        draft = await self.custom(input=str(only), instruction=str(value))
        return str(value) + str(only) + str(list(only)) + draft['response']
        """,
    ),
    _written(
        "numbers-over-calls",
        """
        big = 10 ** 30
        small = -0.0
        odd = [float('inf'), 1e300, True, 1, 1.0]
        draft = await self.custom(input=str(big), instruction=str(small))
        return f"{big + 1} {small} {odd} {1 + odd[2]} " + draft['response']
        """,
    ),
    _written(
        "not-a-number-over-calls",
        """
        nan = float('nan')
        draft = await self.custom(input=str(nan), instruction="x")
        again = await self.custom(input=draft['response'], instruction="y")
        return str(nan == nan) + str(nan) + again['response']
        """,
    ),
    _written(
        "unicode",
        """
        größe = "ünïcödé ✓ \\U0001f600 \\n\\t\\\\ '\\""
        变量 = await self.custom(input=größe, instruction="日本語 {}")
        more = await self.custom(input=变量['response'] + größe[::-1], instruction=prompt_custom.SOLVE)
        return größe + more['response'] + f"{größe!r:.8}"
        """,
    ),
    _written(
        "braces-and-formats",
        """
        width = 7
        text = f"{{{problem}}}{len(problem):>{width}}|{problem!r:^9}|{3.14159:.2f}"
        draft = await self.custom(input=text, instruction="{problem} {0} {}")
        return "{}-{name}".format(text, name=draft['response'])
        """,
    ),
    _written(
        "conditional-definition",
        """
        first = await self.custom(input=problem, instruction="x")
        if 'q' in first['response']:
            extra = "found"
        second = await self.custom(input=first['response'], instruction="y")
        try:
            text = extra
        except NameError:
            text = "not defined"
        return text + second['response']
        """,
    ),
    _written(
        "undefined-at-the-end",
        """
        first = await self.custom(input=problem, instruction="x")
        if 'q' in first['response']:
            extra = "found"
        second = await self.custom(input=first['response'], instruction="y")
        return extra + second['response']
        """,
    ),
    _written(
        "parameter-rebound",
        """
        for i in range(3):
            problem = problem + str(i)
            draft = await self.custom(input=problem, instruction="x")
            problem = draft['response']
        return problem
        """,
    ),
    _written(
        "loop-variable-after-loop",
        """
        for i, word in enumerate(problem.split()):
            draft = await self.custom(input=word, instruction=str(i))
        return f"{i} {word} {draft['response']}"
        """,
    ),
    _written(
        "nested-tuple-targets",
        """
        out = []
        for i, (a, b) in enumerate([("x", "y"), ("z", "w")]):
            (first, second), third = ((a, b), i)
            draft = await self.custom(input=first + second, instruction=str(third))
            out.append(draft['response'])
        head, *tail = out
        return head + str(tail)
        """,
    ),
    _written(
        "comprehension-shadows",
        """
        text = "outer"
        first = await self.custom(input=text, instruction="x")
        texts = [text.upper() for text in ["a", "b"]]
        pairs = {text: [i for i in range(2) if i] for text in texts}
        second = await self.custom(input=text, instruction=str(texts))
        keyed = sorted(texts, key=lambda text: -ord(text))
        return text + str(pairs) + str(keyed) + second['response']
        """,
    ),
    _written(
        "nested-comprehension-of-calls",
        """
        rows = [[(await self.custom(input=a, instruction=b))['response'] for b in "xy"] for a in ["1", "2"]]
        return str(rows)
        """,
    ),
    _written(
        "short-circuits",
        """
        a = problem == "other" and (await self.custom(input="never", instruction="x"))['response']
        b = problem or (await self.custom(input="never", instruction="y"))['response']
        c = "" or (await self.custom(input="c", instruction="z"))['response'] or "d"
        return str(a) + b + c
        """,
    ),
    _written(
        "order-of-evaluation",
        """
        log = []
        total = len(log) + len((await self.custom(input="a", instruction="x"))['response']) + len(log)
        log.append("x")
        text = str(len(log)) + (await self.custom(input=str(total), instruction="y"))['response'] + str(log.pop())
        return f"{text}{(await self.custom(input='f', instruction='z'))['response']}{len(log)}"
        """,
    ),
    _written(
        "augmented-with-await",
        """
        text = "a"
        text += (await self.custom(input=text, instruction="x"))['response']
        table = {"k": 1}
        table["k"] += len((await self.custom(input=text, instruction="y"))['response'])
        items = ["z"]
        items += [(await self.custom(input=str(table), instruction="z"))['response']]
        return text + str(table) + str(items)
        """,
    ),
    _written(
        "three-loops-deep",
        """
        out = []
        for i in range(2):
            j = 0
            while j < 3:
                j += 1
                for word in ["a", "b"]:
                    if word == "b" and i == j:
                        break
                    if j == 2:
                        continue
                    draft = await self.custom(input=f"{i}{j}{word}", instruction="x")
                    out.append(draft['response'].strip())
                else:
                    out.append("else")
                    continue
                out.append("broke")
        return ",".join(out)
        """,
    ),
    _written(
        "loop-without-calls-returns",
        """
        draft = await self.custom(input=problem, instruction="x")
        for letter in draft['response']:
            if letter.isdigit():
                return "digit " + letter
        return "none"
        """,
    ),
    _written(
        "empty-loops",
        """
        texts = []
        for word in []:
            draft = await self.custom(input=word, instruction="x")
            texts.append(draft['response'])
        for i in range(0):
            draft = await self.custom(input=str(i), instruction="x")
            texts.append(draft['response'])
        while texts:
            texts = [(await self.custom(input="x", instruction="x"))['response']]
        return "empty" + str(texts)
        """,
    ),
    _written("no-calls", "return problem.upper() + str([i * i for i in range(4)])"),
    _written(
        "returns-a-number",
        """
        draft = await self.custom(input=problem, instruction="x")
        return len(draft['response'])
        """,
    ),
    _written(
        "returns-none-sometimes",
        """
        draft = await self.custom(input=problem, instruction="x")
        result = None if draft['response'] else "text"
        return result
        """,
    ),
    _written(
        "samples-with-old-variable",
        """
        best = ""
        texts = []
        for i in range(4):
            draft = await self.custom(input=problem + str(i), instruction="x")
            text = draft['response']
            if len(text) > len(best):
                best = text
            texts.append(best)
        return ",".join(texts) + text + str(i)
        """,
    ),
    _written(
        "dependent-samples",
        """
        previous = problem
        texts = []
        for _ in range(3):
            draft = await self.custom(input=previous, instruction="x")
            previous = draft['response']
            texts.append(previous)
        return ",".join(texts)
        """,
    ),
    _written(
        "calls-that-may-fail-between",
        """
        a = await self.custom(input=problem, instruction="a")
        number = int(a['response'].strip()[1:])
        b = await self.custom(input=str(number), instruction="b")
        c = await self.custom(input=problem, instruction="c")
        return b['response'] + c['response'] + str(number)
        """,
    ),
    _written(
        "dictionary-of-lists",
        """
        groups = {"a": [], "b": []}
        for i in range(4):
            draft = await self.custom(input=str(i), instruction="x")
            groups["a" if i % 2 else "b"].append(draft['response'].strip())
        keys = groups.keys()
        values = groups.values()
        more = await self.custom(input=str(sorted(keys)), instruction="y")
        return str(groups) + str(list(values)) + more['response']
        """,
    ),
    _written(
        "slices-assigned",
        """
        items = ["a", "b", "c"]
        first = await self.custom(input=items[0], instruction="x")
        items[1] = first['response']
        items[-1] += "!"
        second = await self.custom(input=str(items), instruction="y")
        items.insert(0, second['response'])
        return str(items[::-1]) + str(items.index("a"))
        """,
    ),
    _written(
        "error-text-in-the-state",
        """
        errors = []
        for word in ["x", "1", "", "2.5"]:
            try:
                number = int(word)
                draft = await self.custom(input=str(number), instruction="x")
                errors.append(draft['response'])
            except ValueError as error:
                told = await self.custom(input=str(error), instruction="explain")
                errors.append(f"{error} {told['response']}")
        return "|".join(errors)
        """,
    ),
    _written(
        "handler-sees-what-was-done",
        """
        count = 0
        items = []
        try:
            count = 1
            draft = await self.custom(input=problem, instruction="x")
            items.append(draft['response'])
            count = 2
            more = await self.custom(input=problem, instruction="y")
            items.append(more['response'])
            count = int("x") + 3
            items.append("never")
        except Exception:
            last = await self.custom(input=str(items), instruction=str(count))
            items.append(last['response'])
        return f"{count} {items}"
        """,
    ),
    _written(
        "gathered-helpers-with-prompts",
        """
        prompt_custom.SOLVE = "Rewritten before."
        results = await asyncio.gather(self.one("a"), self.one("b"))
        return ",".join(results) + prompt_custom.SOLVE
        """,
        """
        async def one(self, text):
            draft = await self.custom(input=text, instruction=prompt_custom.SOLVE)
            return draft['response'] + prompt_custom.SOLVE
        """,
    ),
    _written(
        "nested-gathered-helpers",
        """
        results = await asyncio.gather(*[self.outer(str(i)) for i in range(2)])
        return str(results)
        """,
        """
        async def outer(self, text):
            a, b = await asyncio.gather(self.inner(text, 1), self.inner(text, 2))
            try:
                c = await self.inner(a[:0] + b, 0)
            except ZeroDivisionError:
                c = "zero"
            return a + b + c

        async def inner(self, text, number):
            draft = await self.custom(input=text, instruction=str(number))
            return draft['response'].strip() + str(6 // number)
        """,
    ),
    _written(
        "gathered-lists-unpacked",
        """
        (a, b), rest = await asyncio.gather(
            self.pair(problem), self.custom(input=problem, instruction="rest")
        )
        return a + str(b) + rest['response']
        """,
        """
        async def pair(self, text):
            draft = await self.custom(input=text, instruction="pair")
            return draft['response'], len(draft['response'])
        """,
    ),
    _written(
        "lists-shared-through-tuples",
        """
        good, bad = [], []
        pairs = [("good", good), ("bad", bad)]
        for name, bucket in pairs:
            draft = await self.custom(input=problem, instruction=name + str(len(bucket)))
            bucket.append(draft['response'])
        last = await self.custom(input=str(good), instruction=str(bad))
        return last['response'] + str(good) + str(pairs)
        """,
    ),
    _written(
        "lists-shared-through-nested-tuples",
        """
        kept = []
        table = {"k": ((kept, 1), [kept])}
        pair = (kept, (kept,))
        first = await self.custom(input=problem, instruction="first")
        pair[1][0].append(first['response'])
        second = await self.custom(input=str(table), instruction=str(kept))
        kept.append(second['response'])
        third = await self.custom(input=str(table) + str(pair), instruction=str(kept))
        return third['response'] + str(kept)
        """,
    ),
    _written(
        "lists-shared-under-keys-that-are-no-strings",
        """
        table = {(1, 2): [], 0.5: [], None: []}
        one, other = table[(1, 2)], table[0.5]
        first = await self.custom(input=problem, instruction="first")
        one.append(first['response'])
        other.append("x")
        second = await self.custom(input=str(table), instruction=str(one))
        return second['response'] + str(table)
        """,
    ),
    _written(
        "sets-shared",
        """
        seen = set()
        table = {"seen": seen}
        first = await self.custom(input=problem, instruction="first")
        table["seen"].add(first['response'])
        second = await self.custom(input=str(len(seen)), instruction="second")
        return second['response'] + str(len(seen))
        """,
    ),
    _written(
        "rows-of-one-list",
        """
        rows = [[0]] * 2
        first = await self.custom(input=problem, instruction="first")
        rows[0].append(first['response'])
        second = await self.custom(input=str(rows), instruction="second")
        for row in rows:
            row.append(second['response'])
        third = await self.custom(input=str(rows), instruction="third")
        return third['response'] + str(rows)
        """,
    ),
    _written(
        "a-loops-variable-is-only-added-to",
        """
        for word in problem.split():
            draft = await self.custom(input=problem, instruction="first")
            word += "!"
            again = await self.custom(input=draft['response'], instruction="second")
        return again['response']
        """,
    ),
    _written(
        "added-to-after-its-loop",
        """
        texts = []
        for word in ["a", "b"]:
            draft = await self.custom(input=word, instruction="first")
            text = draft['response']
            texts.append(text)
        word += "!"
        text += "?"
        draft['response'] += "."
        return word + text + draft['response']
        """,
    ),
]

HAND_WRITTEN = PUBLISHED + ADVERSARIAL
