"""Watchers in a process of their own: each opens a run's socket, sees panels, acknowledges what comes, notes when.

Reads one line of JSON (``host``, ``runs`` with one watcher for each entry, ``panels``), says ``ready`` when every one
was greeted, and at the end of its input prints what arrived. Messages are not parsed: only the server is measured.
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


async def watch(host: str, run: str, panels: list[str], greeted: asyncio.Event, heard: dict[str, Any]) -> None:
    """Watch until cancelled."""
    url = f"ws://{host}/lab/runs/{run}/live?since=0"
    async with connect(url, origin=Origin(f"http://{host}"), max_size=None, compression=None) as link:
        await link.recv()
        await link.send(json.dumps({"type": "see", "panels": panels}))
        greeted.set()
        async for message in link:
            found = _UPDATE.match(str(message[:80]))
            if found:
                heard["arrivals"].append((time.time(), int(found[2]), len(message)))
                await link.send(f'{{"type":"drawn","n":{found[1]}}}')


async def main() -> None:
    asked = json.loads(sys.stdin.readline())
    heard = [{"run": run, "arrivals": []} for run in asked["runs"]]
    greeted = [asyncio.Event() for _ in heard]
    tasks = []
    for one, event in zip(heard, greeted, strict=True):
        tasks.append(asyncio.create_task(watch(asked["host"], one["run"], asked["panels"], event, one)))
        await asyncio.sleep(0.01)
    for event in greeted:
        await asyncio.wait_for(event.wait(), 60)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    with contextlib.suppress(Exception):
        await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps(heard), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
