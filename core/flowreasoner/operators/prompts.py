"""The prompts of the built-in operators. ``{name}`` stands for an input of the operator."""

CUSTOM = """\
{role}
{instruction}

{input}"""

CUSTOM_CODE_GENERATE = """\
{instruction}

{problem}

{context}

Write complete, self-contained Python 3 that defines `{entry_point}` exactly as the problem asks. \
Read nothing from standard input and print nothing unless the problem says so."""

FORMAT = """\
Problem:
{problem}

A worked solution:
{solution}

Give only the final answer to the problem, in the form the problem asks for, without any explanation."""

SC_ENSEMBLE = """\
Problem:
{problem}

Several solutions were written independently:

{candidates}

Find the solution that most of them agree with in what it does, checking each against the problem where \
they differ. Name it by its letter."""

REVIEW = """\
Problem:
{problem}

Proposed solution:
{solution}

Review the solution for correctness, edge cases, efficiency and adherence to the problem's requirements. \
Accept it only if you find nothing that must change."""

REVISE = """\
Problem:
{problem}

Proposed solution:
{solution}

A reviewer said:
{feedback}

Write the complete revised solution, keeping what was right."""

REFLECT_ON_TESTS = """\
Problem:
{problem}

This solution was run against tests:
{solution}

What happened:
{failures}

First find out in one or two sentences why it failed. Then write the complete corrected program, \
which must define `{entry_point}`."""

PROGRAM = """\
Problem:
{problem}

Analysis so far:
{analysis}

Write a Python 3 program with a function `solve()` that takes no arguments, computes the answer to the \
problem and returns it. Use the standard library only. Do not call the function yourself.
{feedback}"""

ANSWER_GENERATE = """\
{input}

Think step by step, then state the answer on its own, as short as the question allows."""

MD_ENSEMBLE = """\
Problem:
{problem}

Candidate solutions:

{candidates}

Judge which candidate answers the problem best. Name it by its letter."""

WRITE_TESTS = """\
Problem:
{problem}

Write between four and eight assert statements that check a correct `{entry_point}`: the examples of the \
problem first, then edge cases whose expected value follows from the problem beyond doubt. \
Each must be a single line of the form `assert {entry_point}(...) == ...` in one Python code block."""

CORRECTION = """\
Your reply could not be used: {reason}.

{form}"""
