"""Runs every hostile program of tests/attacks in every tier and writes what came of it.

    python benchmarks/attacks.py [--tier TIER]… [--only TEXT] [-o FILE]

The result file is what docs/sandbox.md shows as a table; `scripts/generate.py` makes it from there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))

from attacks import ATTACKS, LIMITS, Host, attempt, styles  # noqa: E402

from flowreasoner.sandbox import Pool, missing  # noqa: E402

RESULTS = HERE / "results" / "attacks.json"


def run_tier(tier: str, attacks: list[str], workers: int) -> dict[str, dict[str, list[str]]]:
    """Returns for each attack and way of grading what went wrong; an empty list if it was contained."""
    found: dict[str, dict[str, list[str]]] = {}
    with ProcessPoolExecutor(workers, get_context("spawn")) as executor:  # each sees its own processes only
        parts = [executor.submit(run_part, tier, attacks[start::workers]) for start in range(workers)]
        for part in parts:
            found |= part.result()
    return {attack: found[attack] for attack in attacks}


def run_part(tier: str, attacks: list[str]) -> dict[str, dict[str, list[str]]]:
    """Runs some of the attacks."""

    async def run() -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = {attack: {} for attack in attacks}
        with Host.prepared() as host:
            async with Pool(tier, limits=LIMITS, workers=1) as pool:
                for number, attack in enumerate(attacks, 1):
                    for style in styles(attack):
                        failed = found[attack][style] = await attempt(pool, attack, style, host)
                        if failed:
                            print(f"{tier}: {attack}, {style}: {'; '.join(failed)}", file=sys.stderr)
                    if number % 20 == 0:
                        print(f"{tier}: {number} of {len(attacks)}", file=sys.stderr)
        return found

    return asyncio.run(run())


def main() -> None:
    """Runs the suite and prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", action="append", help="only this tier; may be given several times")
    parser.add_argument("--only", default="", help="only attacks whose name contains this")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    attacks = [attack for attack in ATTACKS if given.only in attack]
    tiers = {}
    for tier in given.tier or ["jail", "landlock"]:
        if missing(tier):
            print(f"{tier}: left out: {missing(tier)}", file=sys.stderr)
            continue
        began = time.perf_counter()
        results = run_tier(tier, attacks, workers=os.cpu_count() or 1)
        bad = {attack: styles for attack, styles in results.items() if any(styles.values())}
        print(f"{tier}: {len(attacks) - len(bad)} of {len(attacks)} contained, {time.perf_counter() - began:.0f} s")
        tiers[tier] = results
    machine = (
        f"Linux {platform.release()}, CPython {platform.python_version()}, {'root' if os.geteuid() == 0 else 'user'}"
    )
    given.output.parent.mkdir(exist_ok=True)
    given.output.write_text(json.dumps({"machine": machine, "tiers": tiers}, indent=1) + "\n")


if __name__ == "__main__":
    main()
