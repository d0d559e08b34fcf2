"""How a step of the tour calls the suite and tells of it."""

from __future__ import annotations

from collections.abc import Awaitable

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from pmcrm.type.v1.partial_date_pb2 import PartialDate
from rich.console import Console

from cli.reaching import Suite


class TourFailed(Exception):
    """The suite did not do what the tour shows; the text says what was expected."""


class Teller:
    """The suite that is shown, and the console on which it is told. Steps are numbered as they come."""

    def __init__(self, suite: Suite, console: Console) -> None:
        self.suite = suite
        self.console = console
        self._number = 0

    def step(self, title: str, calls: str) -> None:
        """Begins a step; `calls` says which RPCs it makes."""
        self._number += 1
        self.console.print(f"\n[bold]{self._number}. {title}[/bold]  [dim]{calls}[/dim]")

    def say(self, text: str) -> None:
        """One line of what came back."""
        self.console.print(f"   {text}", markup=False)

    def expect(self, held: bool, claim: str) -> None:
        """Raises TourFailed when the suite did not do what the step claims."""
        if not held:
            raise TourFailed(f"the tour expected that {claim}")

    async def refused(self, call: Awaitable[Message]) -> tuple[str, str]:
        """Code and reason of a call that must fail. Raises TourFailed when it does not."""
        try:
            await call
        except grpc.aio.AioRpcError as error:
            return error.code().name, reason_of(error)
        raise TourFailed("the call should have been refused")


def iso_date(date: PartialDate) -> str:
    """A date as vCard 4 writes it: `1984-04-12`, without a year `--04-12`."""
    year = f"{date.year:04}" if date.year else "-"
    return "-".join([year, *(f"{part:02}" for part in (date.month, date.day) if part)])


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The stable reason in an error's details; empty when it has none."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # it has what a call has
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""
