"""`pmcrm demo`: the tour. Real calls to a running suite, or its own, printed so that a reader sees what happens."""

from __future__ import annotations

import asyncio

from rich.console import Console

from cli.reaching import reached_suite
from cli.tour import address_book, network, privacy, ties, time
from cli.tour.telling import Teller
from shared.settings import Settings


def demo() -> None:
    """Take the tour: from importing an address book to an erasure receipt and a verified audit log."""
    asyncio.run(_run(Settings.load()))


async def _run(settings: Settings) -> None:
    async with reached_suite(settings) as suite:
        tour = Teller(suite, Console(highlight=False, soft_wrap=True))
        where = "started for this tour" if suite.started else "already running"
        tour.console.print(f"[bold]The tour[/bold] of the suite at {suite.address} ({where}).")
        await take(tour)
        tour.console.print("\n[bold green]That was the tour.[/bold green]")


async def take(tour: Teller) -> None:
    """All steps, in order. Raises TourFailed when the suite answers otherwise than the tour says."""
    first, second = await address_book.make_tenants(tour)
    await address_book.import_address_book(tour, first)
    await address_book.import_connections(tour, first)
    contacts = await address_book.page_through(tour, first)
    await address_book.search(tour, first)
    await ties.show_employments(tour, first)
    await ties.merge_a_duplicate(tour, first)
    await time.log_a_meeting(tour, first)
    await time.remind_across_the_gap(tour, first)
    await network.find_what_is_worth_doing(tour, first)
    await network.explain_a_strength(tour, first)
    await network.find_by_meaning(tour, first)
    await address_book.export(tour, first)
    await address_book.update_with_stale_etag(tour, first, contacts[0])
    await address_book.delete_and_undelete(tour, first, contacts[1])
    await address_book.repeat_a_request(tour, first)
    await address_book.look_as_the_other_tenant(tour, second, contacts[0])
    await privacy.export_everything(tour, first)
    await privacy.forget_somebody(tour, first)
    await privacy.verify_the_log(tour, first)
