"""The data of an optimisation: validation queries that steer, and test queries that only score; never the same."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flowreasoner.errors import QueryError
from flowreasoner.query import Query
from flowreasoner_adapters.aflow.datasets import FOLDERS, load_rows, public_tests, read_queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Data"]


class Data:
    """Loads queries when they are first asked for.

    Args:
        dataset: AFlow's name of the data set.
        path: Folder of AFlow's ``<dataset>_validate.jsonl`` and ``_test.jsonl``; its usual places when None.
        validation: Queries in place of the file.
        test: Queries in place of the file.
    """

    def __init__(
        self,
        dataset: str,
        path: str | Path | None = None,
        validation: Iterable[Query] | None = None,
        test: Iterable[Query] | None = None,
    ) -> None:
        self.dataset = dataset
        self._folders = FOLDERS if path is None else (Path(path),)
        self._given = {"validate": _given(validation, "validation"), "test": _given(test, "test")}

    @cached_property
    def validation(self) -> Sequence[Query]:
        """The queries that steer.

        Raises:
            QueryError: If they cannot be read.
        """
        return self._load("validate")

    @cached_property
    def test(self) -> Sequence[Query]:
        """The queries that only score.

        Raises:
            QueryError: If they cannot be read.
        """
        return self._load("test")

    def check_apart(self) -> None:
        """Checks that no query both steers and scores, where both sets are there.

        Raises:
            QueryError: If one does.
        """
        if not all(self._given[part] or self._file(part) for part in self._given):
            return
        shared = {item.problem for item in self.validation} & {item.problem for item in self.test}
        if shared:
            raise QueryError(
                f"{len(shared)} problem{'s' * (len(shared) > 1)} of {self.dataset} would both steer the search and "
                f"score its result, e.g. {min(shared)[:60]!r}: take them out of the validation or the test data"
            )

    def _file(self, part: str) -> Path | None:
        names = (folder / f"{self.dataset.lower()}_{part}.jsonl" for folder in self._folders)
        return next((path for path in names if path.is_file()), None)

    def _load(self, part: str) -> Sequence[Query]:
        queries = self._given[part]
        if queries is None:
            path = self._file(part)
            if path is None:
                looked = " and ".join(str(folder) for folder in self._folders)
                raise QueryError(
                    f"there is no {self.dataset.lower()}_{part}.jsonl in {looked}: download AFlow's data, say where it "
                    f"is with data_path=, or give queries with {'validation' if part == 'validate' else 'test'}="
                )
            queries = read_queries(self.dataset, load_rows(path), public_tests(self._folders, self.dataset))
        if not queries:
            raise QueryError(f"the {part} data of {self.dataset} is empty")
        return queries


def _given(queries: Iterable[Query] | None, name: str) -> list[Query] | None:
    if queries is None:
        return None
    listed = list(queries)
    for item in listed:
        if not isinstance(item, Query):
            raise QueryError(f"{name} must hold Query objects, not {type(item).__name__}")
        if item.hidden is None and item.feedback is None and item.metric is None:
            raise QueryError(f"query {item.id!r} of {name} has neither tests nor a metric to score answers with")
    return listed
