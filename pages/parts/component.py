"""Custom components whose script lies in assets: a stub imports it, for inline script is sent again with every change.

The script gets, among the data, ``page`` (the page's own name, to find the app's address: some hosts serve an app below
a path) and ``version``, under which the browser caches it.
"""

from typing import Any

import streamlit as st

from core.web import assets_version

_STUB = """
export default async function (component) {
  const called = performance.now();
  const { page, version } = component.data;
  const path = location.pathname.replace(/\\/$/, "");
  const base = page && path.endsWith("/" + page) ? path.slice(0, -page.length - 1) : path;
  const url = `${location.origin}${base}/lab/assets/SCRIPT?v=${encodeURIComponent(version)}`;
  const { default: mount } = await import(url);
  return mount(component, called);
}
"""


def component(name: str, script: str) -> Any:
    """The component that mounts ``script``, a path below assets."""
    return st.components.v2.component(name, js=_STUB.replace("SCRIPT", script), isolate_styles=False)


def origin() -> dict[str, str]:
    """Where the browser finds the script: part of the component's data."""
    return {"page": str(st.session_state.get("page", "")), "version": assets_version()}
