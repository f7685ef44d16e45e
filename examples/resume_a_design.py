"""Keep a design in a store: what is finished is never paid for again, whatever ended the program."""

import tempfile
from pathlib import Path

from flowreasoner import Store, design_sync, load_query
from flowreasoner.api import StoreJournal

query = load_query(Path(__file__).with_name("query.yaml"))
folder = Path(tempfile.mkdtemp())

with Store(folder / "runs.sqlite") as store:
    run = store.start_run(query.title, {"query": query.id})
    settings = {"meta_agent": "sim:", "worker": "sim:", "store": store, "journal": StoreJournal(store, run), "seed": 2}
    first = design_sync(query, **settings, rounds=2)
    again = design_sync(query, **settings, rounds=10)

print(f"first: {len(first.rounds)} rounds, {first.cost.model_calls} calls")
print(f"then: {len(again.rounds)} rounds; the first {len(first.rounds)} came from the store")
assert [item.score for item in again.rounds[: len(first.rounds)]] == [item.score for item in first.rounds]
