"""The gallery: what Tenfold is, and a card for each algorithm that exists."""

from pages.parts.gallery import gallery

gallery()
