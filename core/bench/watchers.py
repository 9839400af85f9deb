"""Watchers in a process of their own: each opens a run's socket, has panels in sight, acknowledges and times updates.

Reads one line of JSON (``host``, ``runs`` with one watcher for each entry, ``panels``), prints ``ready`` when
each has its hello, and at the end of its input what arrived. Messages are not parsed: only the server is measured.
"""

import asyncio
import contextlib
import json
import re
import sys
import time
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Origin

_UPDATE = re.compile(r'\{"type":"update","n":(\d+),"seq":(\d+)')


async def watch(host: str, run: str, panels: list[str], connected: asyncio.Event, received: dict[str, Any]) -> None:
    """Watch until cancelled."""
    url = f"ws://{host}/lab/runs/{run}/live?since=0"
    async with connect(url, origin=Origin(f"http://{host}"), max_size=None, compression=None) as link:
        await link.recv()
        await link.send(json.dumps({"type": "see", "panels": panels}))
        connected.set()
        async for message in link:
            found = _UPDATE.match(str(message[:80]))
            if found:
                received["arrivals"].append((time.time(), int(found[2]), len(message)))
                await link.send(json.dumps({"type": "drawn", "n": int(found[1])}))


async def main() -> None:
    request = json.loads(sys.stdin.readline())
    received = [{"run": run, "arrivals": []} for run in request["runs"]]
    connected = [asyncio.Event() for _ in received]
    tasks = []
    for one, event in zip(received, connected, strict=True):
        tasks.append(asyncio.create_task(watch(request["host"], one["run"], request["panels"], event, one)))
        await asyncio.sleep(0.01)
    for event in connected:
        await asyncio.wait_for(event.wait(), 60)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    with contextlib.suppress(Exception):
        await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps(received), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
