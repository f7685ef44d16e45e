"""Workflows of the shape that the paper prints (Figures 5 to 11), with the same defects and other prompts."""

import textwrap

import pytest

from flowreasoner.workflow import check

WRAPPED = "a bare method wrapped in a class Workflow"
DECLARED = "the parameter 'entry_point' is used but was not declared; added"


def passed(line, operator="CustomCodeGenerate"):
    return f"line {line}: entry_point=entry_point passed to {operator}"


FIGURE_5A = """\
    async def __call__(self, problem: str, test_cases: list):
        max_retries = 2
        solutions = []
        for _ in range(max_retries):
            for attempt in range(3):
                # Up to three attempts
                solution = await self.custom_code_generate(
                    problem=problem, instruction=prompt_custom.WRITE
                )
                verdict = await self.test(
                    problem=problem, solution=solution['response'], test_cases=test_cases
                )
                if verdict['result']:
                    solutions.append(solution['response'])
                    break  # good enough
                analysis = await self.custom(
                    input=f"Task: {problem}\\nFailing program: {solution['response']}\\nShown: {verdict['solution']}",
                    instruction=prompt_custom.EXPLAIN)
                prompt_custom.WRITE = f"{prompt_custom.WRITE}\\n{analysis['response']}"
            if not solutions:
                solutions.append(solution['response'])
        best = await self.sc_ensemble(solutions=solutions, problem=problem)
        return best['response'], self.llm.cost_manager.total_cost
"""

FIGURE_6 = """\
    async def __call__(self, problem: str, test_cases: list):
        # What is asked
        analysis = await self.custom(
            input=problem,
            instruction=prompt_custom.EXPLAIN
        )
        solution = await self.custom_code_generate(
            problem=problem,
            entry_point=entry_point,
            instruction=f"{prompt_custom.WRITE}\\nWhat is asked: {analysis['response']}"
        )
        current = solution['response']
        for iteration in range(3):
            verdict = await self.custom(
                input=f"Program: {current}\\nTests: {test_cases}",
                instruction=prompt_custom.TEST
            )
            if "failed" not in verdict['response'].lower():
                return current, self.llm.cost_manager.total_cost
            improved = await self.custom_code_generate(
                problem=problem,
                entry_point=entry_point,
                instruction=(
                    f"{prompt_custom.IMPROVE}\\nSeen: {verdict['response']}\\n"
                    f"Round: {iteration + 1}/{max_iterations}"
                )
            )
            current = improved['response']
        return current, self.llm.cost_manager.total_cost
"""

FIGURE_7 = """\
    async def __call__(self, problem: str, test_cases: list):
        solution = await self.custom_code_generate(problem=problem, entry_point=entry_point,
            instruction=prompt_custom.WRITE)
        verdict = await self.custom(
            input=f"Program: {solution['response']}\\nTests: {test_cases}",
            instruction=prompt_custom.TEST
        )
        if "failed" in verdict['response'].lower():
            improved = await self.custom_code_generate(
                problem=problem,
                instruction=f"{prompt_custom.IMPROVE}\\n\\nSeen: {verdict['response']}"
            )
            return improved['response'], self.llm.cost_manager.total_cost
        return solution['response'], self.llm.cost_manager.total_cost
"""

FIGURE_8 = """\
    async def __call__(self, problem: str, test_cases: list):
        # 1. Three ways to write it
        prompts = [
            prompt_custom.WRITE,
            prompt_custom.IMPROVE,
            prompt_custom.TEST,
        ]
        # 2. Three candidates
        candidates = [
            (await self.custom_code_generate(
                problem=problem,
                instruction=text
            ))['response'] for text in prompts
        ]
        # 3. The best of them
        joined = "Candidates:\\n" + "\\n---\\n".join(candidates)
        best = (await self.custom(
            input=joined,
            instruction=prompt_custom.EXPLAIN
        ))['response']
        return best, self.llm.cost_manager.total_cost
"""

FIGURE_9 = """\
    async def __call__(self, problem: str, test_cases: list):
        analysis = await self.custom(
            input=problem,
            instruction=prompt_custom.EXPLAIN
        )
        solution = await self.custom_code_generate(
            problem=problem,
            instruction=prompt_custom.WRITE,
            context=analysis['response']
        )
        some_tests = test_cases[:min(3, len(test_cases))]
        verdict = await self.custom(
            input=f"Program:\\n{solution['response']}\\nTests:\\n{some_tests}",
            instruction=prompt_custom.TEST
        )
        if "all passed" in verdict['response'].lower():
            final = await self.custom_code_generate(
                problem=problem,
                instruction=prompt_custom.IMPROVE,
                context=f"Program:\\n{solution['response']}"
            )
            return final['response'], self.llm.cost_manager.total_cost
        else:
            fixed = await self.custom_code_generate(
                problem=problem,
                instruction=prompt_custom.IMPROVE,
                context=f"Program:\\n{solution['response']}\\nSeen:\\n{verdict['response']}"
            )
            return fixed['response'], self.llm.cost_manager.total_cost
"""

FIGURE_10 = """\
    async def __call__(self, problem: str, test_cases: list):
        async def __call__(self, problem: str, test_cases: list):
        # What is asked, in detail
        analysis = await self.custom(
            input=problem,
            instruction=prompt_custom.EXPLAIN
        )
        solution = await self.custom_code_generate(
            problem=problem,
            entry_point=entry_point,
            instruction=f"{prompt_custom.WRITE}\\nWhat is asked: {analysis['response']}"
        )
        text = f"# Program\\n{solution['response']}\\n\\n# What is asked\\n{analysis['response']}"
        return text, self.llm.cost_manager.total_cost
"""

FIGURE_11 = """\
    async def __call__(self, problem: str, test_cases: list):
        solution = (await self.custom_code_generate(
            problem=problem,
            instruction=prompt_custom.WRITE
        ))['response']
        refined = (await self.custom_code_generate(
            problem=problem,
            instruction=prompt_custom.IMPROVE,
            context=f"First program:\\n{solution}\\n\\nTests:\\n{test_cases}"
        ))['response']
        return refined, self.llm.cost_manager.total_cost
"""

PROMPTS = {name: f"{name.title()} it." for name in ("WRITE", "EXPLAIN", "TEST", "IMPROVE")}

ACCEPTED = {
    "5a": (FIGURE_5A, [WRAPPED, passed(7), passed(10, "Test"), DECLARED], []),
    "7": (FIGURE_7, [WRAPPED, passed(9), DECLARED], []),
    "8": (FIGURE_8, [WRAPPED, passed(10), DECLARED], []),
    "9": (FIGURE_9, [WRAPPED, passed(6), passed(17), passed(24), DECLARED], []),
    "10": (FIGURE_10, ["a repeated 'def' line removed", WRAPPED, DECLARED], []),
    "11": (FIGURE_11, [WRAPPED, passed(2), passed(6), DECLARED], []),
}


@pytest.mark.parametrize("figure", ACCEPTED)
def test_figures_without_an_unknown_name_are_accepted_after_repairs(figure):
    source, repairs, codes = ACCEPTED[figure]
    report = check(source, PROMPTS)
    assert [item.code for item in report.diagnostics] == codes
    assert sorted(report.repairs) == sorted(["common indentation removed", *repairs])
    assert report.workflow.program.entry.parameters == ("problem", "test_cases", "entry_point")


def test_figure_6_is_refused_for_the_name_that_nothing_defines():
    (found,) = check(FIGURE_6, PROMPTS).diagnostics
    assert (found.code, found.severity, found.line) == ("undefined-name", "error", 25)
    assert "'max_iterations'" in found.message
    assert "max_iterations" in FIGURE_6.split("\n")[found.line - 1]


def test_figure_6_is_accepted_once_the_name_is_there():
    source = FIGURE_6.replace("        # What is asked\n", "        max_iterations = 3\n")
    report = check(source, PROMPTS)
    assert report.ok
    assert sorted(report.repairs) == sorted(["common indentation removed", WRAPPED, DECLARED])


def test_figure_10_is_accepted_too_when_its_second_def_is_properly_nested():
    header, second, *body = FIGURE_10.rstrip("\n").split("\n")
    nested = "\n".join([header, second, *(f"    {line}" for line in body)])
    report = check(nested, PROMPTS)
    assert "a second def __call__ directly inside the first unwrapped" in report.repairs
    assert report.workflow == check(FIGURE_10, PROMPTS).workflow


@pytest.mark.parametrize("figure", ACCEPTED)
def test_figures_without_their_prompts_name_each_missing_one(figure):
    source = ACCEPTED[figure][0]
    missing = {item.message.split()[0] for item in check(source, {}).diagnostics if item.code == "undefined-prompt"}
    # A prompt that the workflow itself writes, as Figure 5(a) does, is defined.
    written = {"prompt_custom.WRITE"} if figure == "5a" else set()
    assert missing == {f"prompt_custom.{name}" for name in PROMPTS if f"prompt_custom.{name}" in source} - written


@pytest.mark.parametrize("figure", ["5a", "7", "8", "9", "11"])
def test_figures_in_a_class_need_no_wrapping(figure):
    source = "class Workflow:\n" + ACCEPTED[figure][0]
    report = check(source, PROMPTS)
    assert report.ok
    assert not {WRAPPED, "common indentation removed"} & set(report.repairs)


def test_flush_left_figure_is_accepted():
    report = check(textwrap.dedent(FIGURE_9), PROMPTS)
    assert WRAPPED in report.repairs
    assert "common indentation removed" not in report.repairs
