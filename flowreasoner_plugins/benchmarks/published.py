"""A benchmark that others publish: rows that become queries, and a check that they are the published ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowreasoner.errors import QueryError
from flowreasoner_plugins.benchmarks.rows import find_file, fingerprint, rows_of_file, rows_of_hub

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from flowreasoner.query import Query
    from flowreasoner_plugins.benchmarks.rows import Hub, Row

__all__ = ["Published"]


@dataclass(frozen=True, kw_only=True)
class Published:
    """A benchmark in a file, or on the hub.

    Attributes:
        name: Short name.
        description: One sentence.
        hub: Where it is on the hub.
        files: Its usual file names, looked for in a folder.
        read: Turns a row into a query with all tests hidden.
        fields: What the fingerprint is taken of.
        fingerprints: Those of the published versions, where they are known.
        sandbox: What its tests need of a sandbox, if not the defaults: ``limits``, ``profile``.
        only: Ids of the rows that belong to it, where it is a part of the file.
        without: Ids of rows that do not.
        training: Name of the benchmark that methods are fitted on before they try this one, if there is one.
    """

    name: str
    description: str
    hub: Hub
    files: tuple[str, ...]
    read: Callable[[Row], Query]
    fields: tuple[str, ...]
    fingerprints: tuple[str, ...]
    sandbox: Mapping[str, Any] = field(default_factory=dict)
    only: Collection[Any] | None = None
    without: Collection[Any] = ()
    training: str = ""

    def queries(self, data: Path | None = None) -> Iterable[Query]:
        """Returns the queries, with all tests hidden; warns if the data are not the published ones.

        Raises:
            QueryError: If the data cannot be found or read, or are those of something else.
        """
        if data is None:
            where, rows = self.hub.path, rows_of_hub(self.hub, self.name, self.files)
        else:
            path = find_file(data, self.files, self.name)
            where, rows = str(path), rows_of_file(path)
        self._compare(where, rows)
        return [self._query(row, where) for row in rows if self._belongs(row)]

    def _belongs(self, row: Row) -> bool:
        number = row.get("task_id")
        return (self.only is None or number in self.only) and number not in self.without

    def _query(self, row: Row, where: str) -> Query:
        try:
            return self.read(row)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            lacks = f"has no field {error}" if isinstance(error, KeyError) else f"cannot be read: {error}"
            raise QueryError(f"{where} is no {self.name} data: a row {lacks}") from None
        except SyntaxError as error:
            raise QueryError(f"{where} holds a row that does not parse: {error}") from None

    def _compare(self, where: str, rows: list[Row]) -> None:
        found = fingerprint(rows, self.fields)
        if self.fingerprints and found not in self.fingerprints:
            logging.getLogger(__name__).warning(
                "%s: the %d rows of %s are not the published ones (fingerprint %s); results may not compare",
                self.name,
                len(rows),
                where,
                found[:12],
            )
