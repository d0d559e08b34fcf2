"""`pmcrm seed`: fills a development database with made-up tenants and contacts, through the services' own calls."""

from __future__ import annotations

import asyncio
import random

import typer
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.contact_pb2 import Contact, Email, Phone
from pmcrm.contacts.v1.user_pb2 import User
from pmcrm.type.v1.partial_date_pb2 import PartialDate
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.reaching import Metadata, Suite, reached_suite
from shared.settings import Settings

BATCH = 500

# Tenants that are filled at the same time.
AT_ONCE = 4


def words(text: str) -> list[str]:
    """A list of words, written as a line to read."""
    return text.split()


GIVEN = words("Ada Ben Cleo Dan Eva Finn Gwen Hugo Ida Jan Kim Leo Mia Noor Otto Pia Quinn Rosa Sam Tom Uma Vera Zoe")
FAMILY = words("Ash Birch Cedar Dale Elm Field Grove Hill Isle Knoll Lake Moss North Oak Pine Reed Stone Thorn Vale")
PLACES = words("Harbour Meadow River Summit Valley Forest Canyon Garden Island Prairie")
TRADES = words("Software Bakery Press Logistics Studio Clinic Academy Partners Works Energy")
TITLES = words("Engineer Designer Teacher Editor Nurse Director Analyst Baker Lawyer Founder")
TOPICS = words("climbing chess gardening sailing jazz photography cycling cooking astronomy pottery")


def seed(tenants: int, contacts: int, random_seed: int) -> None:
    """Makes so many users with so many contacts each, and prints the users' ids."""
    asyncio.run(_run(Settings.load(), tenants, contacts, random_seed))


async def _run(settings: Settings, tenants: int, contacts: int, random_seed: int) -> None:
    console = Console(stderr=True)
    columns = (TextColumn("contacts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with reached_suite(settings) as suite:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("seed", total=tenants * contacts)
            room = asyncio.Semaphore(AT_ONCE)

            async def fill(number: int) -> str:
                async with room:
                    made_up = random.Random(f"{random_seed} {number}")  # noqa: S311 - sample data
                    tenant = await make_tenant(suite, number)
                    for start in range(0, contacts, BATCH):
                        count = min(BATCH, contacts - start)
                        await make_contacts(suite, tenant, [made_up_contact(made_up) for _ in range(count)])
                        progress.advance(task, count)
                    return dict(tenant)["x-tenant-id"]

            ids = await asyncio.gather(*(fill(number) for number in range(1, tenants + 1)))
    for tenant_id in ids:
        typer.echo(tenant_id)


async def make_tenant(suite: Suite, number: int) -> Metadata:
    """A new user; returns the metadata with which it calls."""
    request = users_pb.CreateUserRequest(user=User(display_name=f"Seeded Tenant {number}", default_region="US"))
    user = await suite.users.CreateUser(request, metadata=suite.operator)
    return (("x-tenant-id", user.id),)


async def make_contacts(suite: Suite, tenant: Metadata, contacts: list[Contact]) -> None:
    """Stores up to 1 000 contacts in one call."""
    requests = [pb.CreateContactRequest(contact=contact) for contact in contacts]
    await suite.contacts.BatchCreateContacts(pb.BatchCreateContactsRequest(requests=requests), metadata=tenant)


def made_up_contact(made_up: random.Random) -> Contact:
    """A contact as people keep them: name, e-mail, phone number, organization, often a note and a birthday."""
    given, family = made_up.choice(GIVEN), made_up.choice(FAMILY)
    organization = f"{made_up.choice(PLACES)} {made_up.choice(TRADES)}"
    mailbox = f"{given}.{family}{made_up.randrange(1000)}".lower()
    contact = Contact(
        given_name=given,
        family_name=family,
        emails=[Email(value=f"{mailbox}@example.com", label="work", primary=True)],
        # 555-0100 to 555-0199 are reserved for fiction in every North American area code.
        phones=[
            Phone(value=f"+1 {made_up.choice([202, 303, 415, 617])} 555 01{made_up.randrange(100):02}", label="mobile")
        ],
        organization_name=organization,
        job_title=made_up.choice(TITLES),
    )
    if made_up.random() < 0.6:
        contact.notes = f"Met at {made_up.choice(PLACES)} {made_up.choice(TRADES)}; likes {made_up.choice(TOPICS)}."
    if made_up.random() < 0.3:
        contact.birthday.CopyFrom(PartialDate(month=made_up.randint(1, 12), day=made_up.randint(1, 28)))
    if made_up.random() < 0.2:
        contact.keep_in_touch_days = made_up.choice([14, 30, 90])
    return contact
