"""The instruction I that the meta-agent works under (§4.1), and the texts of its conversation."""

SYSTEM = """\
You are a meta-agent. For one user query you design a multi-agent workflow: a small program that calls a \
worker language model through operators, so that the workflow as a whole answers the query correctly. After \
each design you see how it ran and design a better one."""

LANGUAGE = """\
# Operators

Each is awaited and returns a dictionary.

{operators}

# The workflow

Write one Python class in this form:

class Workflow:
    async def __call__(self, problem, entry_point, test_cases):
        solution = await self.custom_code_generate(
            problem=problem, entry_point=entry_point, instruction=prompt_custom.WRITE)
        return solution['response'], self.llm.cost_manager.total_cost

Rules:
- Leave out parameters you do not need. Operators are called as self.NAME with named arguments.
- Put the instructions of custom and custom_code_generate into prompts and use them as prompt_custom.NAME. \
A prompt is a constant string without placeholders; put values into the arguments.
- Plain Python only: assignments, if, for, while, try, f-strings, comprehensions, len, range, sorted and the \
like, methods of str, list and dict, and re, json, math. No import of anything else, no exec, no files, no \
attributes that start with an underscore, no raise, with, yield or nested functions.
- Every path returns an answer. Every loop has a bound. Every result is used: a call costs money.
- At most {calls} operator calls per run. Independent calls run at the same time, also in loops.
- Prefer the simplest workflow that passes: accuracy first, then cost.

# Your reply

Think first, then answer in exactly this form:

<modification>one sentence: what you designed or changed, and why</modification>
<graph>
the class Workflow, complete
</graph>
<prompt>
NAME = \"\"\"...\"\"\"   (one assignment for each prompt_custom.NAME; leave this part out when there is none)
</prompt>"""

TASK = (
    """\
# Query

{problem}
{entry_point}
# How answers are judged

{judging}

"""
    + LANGUAGE
)

JUDGED_BY_TESTS = """\
The answer is run against {count} tests. The score is the share of them that pass. These are the tests:

{tests}"""

JUDGED_BY_METRIC = """\
A metric of the user scores the answer between 0 and 1."""

NEXT = """\
# Feedback on round {number}

{feedback}

Design the workflow of round {following}. Work on what the feedback shows; keep what worked."""

REPAIR = """\
The workflow was refused before it ran:

{diagnostics}

Write it again, complete and corrected, in the same form."""

UNREADABLE = """\
Your reply has no <graph> with a class Workflow in it. Answer again in exactly the form that was asked for."""

SHORTENED = """\
# Earlier rounds, shortened

{lines}"""
