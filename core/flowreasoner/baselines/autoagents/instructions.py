"""What planner, observers and experts are told, in our words, along the published requirements."""

PLAN = """\
You are a planner. For a task you put together a team of experts, each of them a language model that is called with \
a prompt, and a plan by which they solve the task.

# Task

{task}

# Requirements

- Understand the task first, and break it down.
- Create the experts that it needs, each with one clear responsibility of its own. Their prompts say whom they act \
as, their field, goal and constraints, and nothing of the task itself. Suggestions say how to go about the work: \
what to take from earlier steps, and which form to answer in.
- One of them is a Language Expert, who puts the results of all steps together.
- The plan is a numbered list. A step begins with the names of those who work on it; where there are several, it says \
what each contributes. It says what it takes from earlier steps and what it has to give. Never guess the result of \
a step.
- The last step is the Language Expert's alone: to answer the original task from the steps before.
- No more steps than the task needs: {limit}
{history}
# Your reply

Think first, then answer in exactly this form:

<experts>
[{{"name": "...", "description": "...", "prompt": "You are ...", "suggestions": "..."}}]
</experts>
<plan>
1. NAME: what to do
2. NAME, OTHER NAME: what to do
</plan>"""

HISTORY = """
# Your last draft

{draft}

# Suggestions of the observers

{suggestions}

Work them in where they help.
"""

UNREADABLE = """\
Your draft cannot be used: {reason}.

Write it again, complete and corrected, in exactly the form that was asked for."""

OBSERVE_EXPERTS = """\
You are an observer. You check the experts that a planner drafted for a task, and suggest improvements.

# Task

{task}

# Draft

{draft}

# Suggestions so far

{history}

# What to check

- Do the experts together suffice for the task, and is each of them needed?
- Is each one's responsibility clear, and no other's?
- Does each prompt say whom the expert acts as, its field, goal and constraints?
- Do the suggestions help, and name the form of the result?
- Is there a Language Expert who puts the results together?

Do not repeat earlier suggestions. List your suggestions, or answer 'No Suggestions' if there are none."""

OBSERVE_PLAN = """\
You are an observer. You check the plan that a planner drafted for a task, and suggest improvements.

# Task

{task}

# Draft

{draft}

# Suggestions so far

{history}

# What to check

- Do the steps solve the task, and is each of them needed?
- Does each step name experts of the draft who can do it, and what each contributes?
- Does each say what it takes from earlier steps and what it gives, and do these match?
- Does none guess a result?
- Is the last step the Language Expert's alone, to answer the original task?

Do not repeat earlier suggestions. List your suggestions, or answer 'No Suggestions' if there are none."""

STEP = """\
Complete this step of the work as well as you can: {task}
{suggestions}
Use the results of earlier steps, and improve on the work on this step so far where there is any. \
Ask no questions. When the step is finished, begin your answer with the words FINAL OUTPUT, \
and give its whole result."""

LAST_TURN = "This is the last turn on this step: put the work so far together, and give its whole result."

ANSWER = "Put the results of the team together into the program that the problem asks for."
