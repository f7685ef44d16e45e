"""Follow a design while it goes on, by its events: for a progress bar, a log, or your tracing system."""

from pathlib import Path

from flowreasoner import design_sync, load_query
from flowreasoner.events import CallEnded, RoundEnded, WorkflowProposed


def watch(event):
    match event:
        case WorkflowProposed():
            print(f"round {event.number}: {event.modification}")
        case CallEnded():
            print(f"  run {event.evaluation}: {event.call.operator}")
        case RoundEnded():
            print(f"  scored {event.round.score:.2f}")


query = load_query(Path(__file__).with_name("query.yaml"))
design_sync(query, meta_agent="sim:", worker="sim:", rounds=2, seed=2, observers=[watch])
