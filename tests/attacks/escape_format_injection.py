"""Returns and prints texts that would run if somebody evaluated, formatted, logged or rendered them carelessly."""

EVIDENCE = "@EVIDENCE@"
ACT = f"__import__('os').system('echo injected > {EVIDENCE}/injected')"
TEXTS = [
    ACT,
    "{0.__class__.__init__.__globals__}",
    "%s%s%s%n%(x)d",
    f"'); {ACT}; ('",
    f"$(echo injected > {EVIDENCE}/injected)",
    f"`echo injected > {EVIDENCE}/injected`",
    "[bold]markup[/bold] [link=file:///etc/passwd]x[/link] [/]",
    "${jndi:ldap://127.0.0.1/x}",
    "../../../../../etc/passwd\0.txt",
]


class Speaking(Exception):
    def __str__(self):
        return TEXTS[0]


def add(a, b):
    for text in TEXTS:
        print(text)
    if a == 0:
        raise Speaking(*TEXTS)
    return TEXTS[a % len(TEXTS)] if a != 100 else dict.fromkeys(TEXTS, ACT)
