"""ListIntegrations: orders, filters, and pages that keep their place."""

from __future__ import annotations

import grpc
import pytest
import pytest_asyncio

from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.integration_calls import ACTIVE, ERROR, Accounts
from tests.suite import Metadata, failure

CONNECTED = [("google", "b"), ("caldav", "z"), ("imap", "a"), ("google", "a"), ("caldav", "y")]


@pytest_asyncio.fixture
async def mine(interactions: InteractionsClient, alice: Metadata) -> Accounts:
    """Five accounts, of which the last is broken."""
    accounts = Accounts(interactions, alice)
    for provider, account in CONNECTED:
        made = await accounts.create(provider=provider, account=account)
    await accounts.sync(made.id, 0, status=ERROR)
    return accounts


@pytest.mark.parametrize(
    ("order", "accounts"),
    [
        ("", "zybaa"),
        ("provider", "zybaa"),
        ("provider desc", "aabyz"),
        ("create_time", "bzaay"),
        ("create_time desc", "yaazb"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 0])
async def test_pages_follow_their_order(mine: Accounts, order: str, accounts: str, size: int) -> None:
    assert await mine.accounts(order_by=order, page_size=size) == list(accounts)


async def test_filters_all_hold_and_are_counted(mine: Accounts) -> None:
    for arguments, accounts in (
        ({"provider": "google"}, "ba"),
        ({"provider": " GOOGLE"}, "ba"),
        ({"provider": "goo"}, ""),
        ({"status": ACTIVE}, "zbaa"),
        ({"status": ERROR}, "y"),
        ({"status": ERROR, "provider": "google"}, ""),
    ):
        assert await mine.accounts(page_size=1, **arguments) == list(accounts)
        assert (await mine.page(include_total_size=True, page_size=1, **arguments)).total_size == len(accounts)
    assert (await mine.page()).total_size == 0


async def test_deleted_ones_are_shown_when_asked_for(mine: Accounts) -> None:
    [broken] = (await mine.page(status=ERROR)).integrations
    await mine.delete(broken.id)
    assert await mine.accounts() == list("zbaa")
    assert await mine.accounts(show_deleted=True) == list("zybaa")


async def test_a_page_keeps_its_place_while_others_come_and_go(mine: Accounts) -> None:
    first = await mine.page(page_size=2)
    await mine.delete(first.integrations[-1].id)
    await mine.create(provider="aaa", account="before")
    await mine.create(provider="imap", account="after")
    second = await mine.page(page_size=10, page_token=first.next_page_token)
    assert [integration.account for integration in second.integrations] == ["b", "a", "a", "after"]
    assert second.next_page_token == ""
    assert [i.account for i in (await mine.page(skip=1, page_size=1)).integrations] == ["z"]


async def test_a_token_opens_its_own_list_alone(mine: Accounts) -> None:
    token = (await mine.page(page_size=1)).next_page_token
    for arguments in ({"order_by": "create_time"}, {"provider": "google"}, {"show_deleted": True}):
        refused = await failure(mine.page(page_token=token, **arguments))
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


@pytest.mark.parametrize(
    ("arguments", "bad"),
    [
        ({"page_size": -1}, "page_size"),
        ({"skip": -1}, "skip"),
        ({"order_by": "account"}, "order_by"),
        ({"provider": "x" * 101}, "provider"),
        ({"status": 17}, "status"),
        ({"read_mask": {"paths": ["tokens"]}}, "read_mask.paths[0]"),
    ],
)
async def test_a_bad_argument_is_named(mine: Accounts, arguments: dict[str, object], bad: str) -> None:
    refused = await failure(mine.page(**arguments))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [bad])
