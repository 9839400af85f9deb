"""Dark or light by one click. Streamlit keeps the choice and has the switch in its menu; this presses it there."""

import streamlit as st

from core.words import N_
from pages.parts.language import to_plain

_HTML = '<button type="button" class="tf-theme" aria-live="polite"></button>'

_CSS = """
.tf-theme { font: inherit; font-size: 1.15rem; line-height: 1; width: 2rem; height: 2rem; border: 0;
  border-radius: 0.5rem; background: none; color: var(--st-text-color); cursor: pointer; }
.tf-theme:hover { background: var(--st-secondary-background-color); }
.tf-theme:focus-visible { outline: 2px solid var(--st-primary-color); }
"""

_JS = """
const find = (name) => document.querySelector(`[data-testid="${name}"]`);

function dark(element) {
  const [r, g, b] = getComputedStyle(find("stApp") || element).backgroundColor.match(/[\\d.]+/g).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
}

async function choose(name) {
  find("stMainMenu")?.querySelector("button")?.click();
  for (let i = 0; i < 40; i += 1) {
    const item = find(`stMainMenuItem-theme-${name}`);
    if (item) {
      item.click();
      if (find("stMainMenuPopover")) find("stMainMenu")?.querySelector("button")?.click();
      return;
    }
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

export default function ({ parentElement, data }) {
  const button = parentElement.querySelector(".tf-theme");
  const show = () => {
    button.textContent = dark(button) ? "☀" : "☾";
    button.title = data.title;
    button.setAttribute("aria-label", data.title);
  };
  button.onclick = async () => {
    document.body.classList.add("tf-choosing");
    await choose(dark(button) ? "Light" : "Dark");
    setTimeout(() => {
      document.body.classList.remove("tf-choosing");
      show();
    }, 250);
  };
  show();
  const timer = setInterval(show, 1000);
  return () => clearInterval(timer);
}
"""

_switch = st.components.v2.component("tenfold_theme", html=_HTML, css=_CSS, js=_JS)


def theme_switch() -> None:
    """☾ or ☀."""
    _switch(key="theme", data={"title": to_plain(N_("Dark or light"))}, height="content", width="content")
