"""A notification service for tests, as a process of its own: claims and acknowledges until it is killed.

python -m tests.services.interactions.claimer <seed> <port> [<port> …]
"""

from __future__ import annotations

import asyncio
import random
import sys

import grpc
import grpc.aio
from pmcrm.interactions.v1 import reminder_service_pb2 as pb
from pmcrm.interactions.v1 import reminder_service_pb2_grpc

from tests.suite import as_operator

SENT = pb.ReminderDelivery.REMINDER_DELIVERY_SENT
LEASE_SECONDS = 2


async def work(seed: int, ports: list[int]) -> None:
    chance = random.Random(seed)
    stubs = [
        reminder_service_pb2_grpc.ReminderServiceStub(grpc.aio.insecure_channel(f"127.0.0.1:{port}")) for port in ports
    ]
    print("claiming", flush=True)
    while True:
        stub = chance.choice(stubs)
        try:
            request = pb.ClaimDueRemindersRequest(
                batch_size=chance.randint(1, 25), lease_seconds=LEASE_SECONDS, claimer=f"claimer {seed}"
            )
            claimed = await stub.ClaimDueReminders(request, metadata=as_operator(), timeout=10)
            await asyncio.sleep(chance.random() * 0.2)
            acks = [pb.ReminderAck(lease_id=due.lease_id, delivery=SENT) for due in claimed.due_reminders]
            if acks:
                await stub.AckReminders(pb.AckRemindersRequest(acks=acks), metadata=as_operator(), timeout=10)
            else:
                await asyncio.sleep(0.1)
        except grpc.aio.AioRpcError as error:
            # A service that was killed. What was claimed of it comes again.
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(work(int(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
