"""No call of IntegrationService shows, changes or betrays another tenant's integrations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.interactions.v1 import integration_service_pb2 as pb
from pmcrm.interactions.v1.integration_pb2 import Credentials, SyncState

from services.interactions.integrations import Integrations
from tests.postgres import Connection
from tests.services.contacts.test_isolation import built, everything_of, outcome, without
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.integration_calls import ACTIVE, OPERATOR, Accounts
from tests.suite import Metadata, failure, new_request_id, tenant_of

TOKENS = Credentials(access_token="stolen", refresh_token="too")
NOBODY = "0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"

# Each call that names an integration by its id.
ON_AN_INTEGRATION: dict[str, Callable[[str], Message]] = {
    "GetIntegration": lambda key: pb.GetIntegrationRequest(id=key),
    "GetIntegration with a mask": lambda key: pb.GetIntegrationRequest(id=key, read_mask={"paths": ["id"]}),
    "DeleteIntegration": lambda key: pb.DeleteIntegrationRequest(id=key),
    "DeleteIntegration with a stale etag": lambda key: pb.DeleteIntegrationRequest(id=key, etag="77"),
    "DeleteIntegration by request_id": lambda key: pb.DeleteIntegrationRequest(id=key, request_id=new_request_id()),
    "UpdateTokens": lambda key: pb.UpdateTokensRequest(id=key, credentials=TOKENS),
    "UpdateTokens with a stale etag": lambda key: pb.UpdateTokensRequest(id=key, credentials=TOKENS, etag="77"),
    "UpdateTokens that keep a token": lambda key: pb.UpdateTokensRequest(
        id=key, credentials=Credentials(access_token="x"), request_id=new_request_id()
    ),
    "GetCredentials": lambda key: pb.GetCredentialsRequest(id=key),
    "UpdateSyncState": lambda key: pb.UpdateSyncStateRequest(
        id=key, expected_version=0, sync_state=SyncState(cursor="mine"), status=ACTIVE
    ),
    "UpdateSyncState from a stale version": lambda key: pb.UpdateSyncStateRequest(id=key, expected_version=77),
}

# Calls that name no integration; their tests are further below.
BY_NO_ID = {"CreateIntegration", "ListIntegrations"}


@pytest.fixture
def hers(interactions: InteractionsClient, alice: Metadata) -> Accounts:
    return Accounts(interactions, alice)


@pytest.fixture
def his(interactions: InteractionsClient, bob: Metadata) -> Accounts:
    return Accounts(interactions, bob)


def test_every_call_that_is_built_is_tried_here() -> None:
    tried = {name.split()[0] for name in ON_AN_INTEGRATION} | BY_NO_ID
    assert built(pb, "IntegrationService", Integrations) == tried


async def send(accounts: Accounts, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    metadata = accounts.as_operator if name == "GetCredentials" else accounts.tenant
    return await getattr(accounts.stub, name)(request, metadata=metadata)


@pytest.mark.parametrize("call", ON_AN_INTEGRATION)
async def test_another_tenants_integration_is_answered_like_none_at_all(
    hers: Accounts, his: Accounts, as_superuser: Connection, call: str
) -> None:
    made = await hers.create(credentials={"access_token": "a", "refresh_token": "r"})
    await his.create(credentials={"access_token": "a", "refresh_token": "r"})
    before = await everything_of(as_superuser, tenant_of(hers.tenant))
    request = ON_AN_INTEGRATION[call]

    foreign = await failure(send(his, request(made.id)))
    missing = await failure(send(his, request(NOBODY)))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.NOT_FOUND, "INTEGRATION_NOT_FOUND")
    assert without(foreign, made.id) == without(missing, NOBODY)
    assert await everything_of(as_superuser, tenant_of(hers.tenant)) == before

    assert await outcome(send(hers, request(made.id))) in ("", "ETAG_MISMATCH", "SYNC_STATE_CONFLICT")


async def test_a_missing_integration_that_may_be_missing_is_answered_alike(hers: Accounts, his: Accounts) -> None:
    made = await hers.create()
    foreign = await his.delete(made.id, allow_missing=True)
    assert foreign == await his.delete(NOBODY, allow_missing=True)
    assert await hers.get(made.id) == made


async def test_lists_and_totals_hold_the_tenants_own(hers: Accounts, his: Accounts) -> None:
    for owner, count in ((hers, 3), (his, 2)):
        for i in range(count):
            await owner.create(account=str(i), request_id=new_request_id())
    for owner, count in ((hers, 3), (his, 2)):
        for order in ("provider", "create_time desc"):
            listed = await owner.page(order_by=order, include_total_size=True, show_deleted=True, provider="google")
            assert (len(listed.integrations), listed.total_size) == (count, count)


async def test_a_page_token_opens_no_other_tenants_list(hers: Accounts, his: Accounts) -> None:
    for owner in (hers, his):
        for account in "AB":
            await owner.create(account=account)
    token = (await hers.page(page_size=1)).next_page_token
    foreign, nonsense = await failure(his.page(page_token=token)), await failure(his.page(page_token=token[::-1]))
    assert foreign.status == nonsense.status
    assert len((await hers.page(page_token=token)).integrations) == 1


async def test_tenants_with_identical_accounts_do_not_affect_each_other(
    hers: Accounts, his: Accounts, as_superuser: Connection
) -> None:
    request_id = new_request_id()
    made = [await owner.create(request_id, {"access_token": "the same"}, scopes=["mail"]) for owner in (hers, his)]
    assert made[0].id != made[1].id
    digests = await as_superuser.fetch("SELECT user_id FROM idempotency_keys WHERE request_id = $1", request_id)
    assert len(digests) == 2
    before = await everything_of(as_superuser, tenant_of(his.tenant))
    mine = made[0].id
    await hers.update_tokens(mine, {"access_token": "hers"}, scopes=["calendar"], request_id=new_request_id())
    await hers.sync(mine, 0, sync_state=SyncState(cursor="hers"))
    await hers.credentials(mine)
    await hers.delete(mine)
    await hers.create(account="ADA@example.org")
    assert await everything_of(as_superuser, tenant_of(his.tenant)) == before
    assert await his.get(made[1].id) == made[1]
    assert (await his.credentials(made[1].id)).access_token == "the same"


async def test_an_operator_for_one_tenant_reads_no_other_ones_credentials(hers: Accounts, his: Accounts) -> None:
    made = await hers.create()
    refused = await failure(hers.credentials(made.id, (*his.tenant, OPERATOR)))
    assert refused.reason == "INTEGRATION_NOT_FOUND"
    both = (*hers.tenant, *his.tenant, OPERATOR)
    assert (await failure(hers.credentials(made.id, both))).reason == "TENANT_AMBIGUOUS"
    assert (await hers.credentials(made.id)).access_token
