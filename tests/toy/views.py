"""The toy's pictures."""

from collections.abc import Mapping
from typing import Any

from core.experiment import Context


def answer(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    output, count = float(arrays["output"][0]), int(arrays["count"][0])
    return {"data": [{"type": "bar", "x": [count], "y": [output]}], "layout": {"title": {"text": str(context.step)}}}
