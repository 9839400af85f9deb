"""A link to what is on the page, to copy."""

from urllib.parse import urlencode

import streamlit as st

from core.words import Refusal
from pages.parts.draft import Draft, to_address
from pages.parts.language import _, say


def link(draft: Draft) -> None:
    """A button that opens the links: one to these settings, one to the run in sight."""
    with st.popover(_("Link"), icon=":material/link:", type="tertiary", help=_("A link to these settings or this run")):
        params = st.query_params.to_dict()
        place = (st.context.url or "").split("?")[0]
        try:
            address = to_address(draft, params)
        except Refusal as refusal:
            st.caption(say(refusal.sentence))
            return
        kept = {n: v for n, v in address.items() if n not in ("run", "step")}
        st.caption(_("These settings"))
        st.code(f"{place}?{urlencode(kept, safe=',')}" if kept else place, language=None, wrap_lines=True)
        if "run" in params:
            run = {n: params[n] for n in ("run", "step", "lang") if n in params}
            st.caption(_("This run: others may watch it and not touch it"))
            st.code(f"{place}?{urlencode(run, safe=',')}", language=None, wrap_lines=True)
        st.caption(_("Add hide=lr,batch_size to hide controls from a class."))
