"""A link to what is on the page, to copy."""

from urllib.parse import urlencode

import streamlit as st

from core.words import Refusal
from pages.parts.draft import Draft, to_address
from pages.parts.language import _, to_markdown


def link(draft: Draft) -> None:
    """A button that opens the links: one to these settings, one to the run on the stage."""
    with st.popover(_("Link"), icon=":material/link:", type="tertiary", help=_("A link to these settings or this run")):
        params = st.query_params.to_dict()
        try:
            address = to_address(draft, params)
        except Refusal as refusal:
            st.caption(to_markdown(refusal.sentence))
            return
        st.caption(_("These settings"))
        _link({name: value for name, value in address.items() if name not in ("run", "step")})
        if "run" in params:
            st.caption(_("This run: others may watch it and not touch it"))
            _link({name: params[name] for name in ("run", "step", "lang") if name in params})
        st.caption(_("Add hide=lr,batch_size to hide controls from a class."))


def _link(params: dict[str, str]) -> None:
    """The address of this page with these parameters, in a box to copy from."""
    place = (st.context.url or "").split("?")[0]
    st.code(f"{place}?{urlencode(params, safe=',')}" if params else place, language=None, wrap_lines=True)
