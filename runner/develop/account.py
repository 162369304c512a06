"""What functions use of an AWS account while they are developed: secrets and tables.

Says once whose they are. Changes nothing in an account; where an embedded cloud stands in for AWS,
it makes the tables that are missing there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from runner.develop.machine import Machine, has_credentials
from runner.errors import JamError, site_error
from runner.model import Function, Table
from runner.names import Names

_ENDPOINTS = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass
class Account:
    """`names` are the site's; `directory` is its functions folder as it is written."""

    machine: Machine
    names: Names
    directory: str
    _read: dict[str, str] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def secrets(self, function: Function, written: Mapping[str, str]) -> dict[str, str]:
        """The values of a function's secrets: what `.env` files say (`written`) before AWS.

        Who writes a key of his own for developing does not want production's. Raises
        JAM-DEV-SECRET for one that cannot be had.
        """
        return {
            variable: written.get(variable) or self._parameter(variable, parameter)
            for variable, parameter in function.grants.secrets
        }

    def prepare(self, function: Function, tables: Iterable[Table]) -> None:
        """Sees to the tables that the function may use; `tables` are all of the site's."""
        granted = {name for name, _ in function.grants.tables}
        for table in tables:
            if table.name in granted - self._told:
                self._told.add(table.name)
                self.machine.say(f"tables │ {table.name} is {self._table(table)}")

    def _parameter(self, variable: str, parameter: str) -> str:
        if parameter not in self._read:
            self._read[parameter] = self._asked(variable, parameter)
        return self._read[parameter]

    def _asked(self, variable: str, parameter: str) -> str:
        why = "there are no AWS credentials here"
        try:
            if has_credentials(self.machine):
                return self.machine.aws(self.names.region).parameter(parameter)
        except JamError as error:
            why = str(error)
        raise site_error(
            "JAM-DEV-SECRET",
            f"{variable} is a secret ({parameter} in Parameter Store) that cannot be read: {why}",
            hint=f"Write {variable}=… into {self.directory}/.env, which only developing reads it "
            "from, or sign in to AWS.",
        )

    def _table(self, table: Table) -> str:
        name = self.names.table(table.name)
        endpoint = next(filter(None, map(self.machine.environment.get, _ENDPOINTS)), "")
        if not has_credentials(self.machine):
            return f"{name}, which nobody reaches without AWS credentials: see `jam-deploy cloud`"
        if not _is_loopback(endpoint):
            return f"{name} in your AWS account: the data of the live site"
        return f"{name} on {endpoint}{self._made(table)}"

    def _made(self, table: Table) -> str:
        from runner.aws.tables import make  # with boto3, which most sites need not

        aws = self.machine.aws(self.names.region)
        try:
            names = Names(self.names.site, aws.account, self.names.region, aws.partition)
            make(aws, names, table=table)
        except JamError as error:
            return f", but: {error}"
        return ""


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in _LOOPBACK or host.endswith(".localhost")
