"""The colours that mean the same everywhere. They are legible on dark and on light and to the colour-blind.

The ten class colours are M. A. Petroff's accessible cycle (2021, arXiv:2107.02270, table 1, ten colours).
"""

CLASSES = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
TRAIN = CLASSES[0]
TEST = CLASSES[1]
VALIDATION = CLASSES[4]
GOOD = CLASSES[0]
BAD = CLASSES[2]
#: A GAN's D and what is real, its G and what it generated.
REAL = CLASSES[0]
GENERATED = CLASSES[1]

#: Marks and text that belong to no class.
INK = "#808080"

#: Anchor colours of the palettes that :func:`core.figures.raster` knows, from the lowest value to the highest.
#: ``diverging`` goes through near-white at the middle; ``sequential`` is viridis, sampled.
RAMPS = {
    "diverging": ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"),
    "sequential": ("#440154", "#443983", "#31688e", "#21918c", "#35b779", "#90d743", "#fde725"),
    "grey": ("#000000", "#ffffff"),
}


def class_colour(number: int) -> str:
    """The colour of class 0, 1, …; after the tenth they repeat."""
    return CLASSES[number % len(CLASSES)]


def faded(colour: str, opacity: float) -> str:
    """``#rrggbb`` with an opacity from 0 to 1, as CSS and Plotly write it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def colour_scale(name: str, *, reverse: bool = False) -> list[list[float | str]]:
    """A palette of :data:`RAMPS` as a Plotly ``colorscale``, or ``"classes"``: the class colours in steps of equal
    width, class 0 at the low end."""
    if name == "classes":
        return [[(i + edge) / len(CLASSES), colour] for i, colour in enumerate(CLASSES) for edge in (0, 1)]
    anchors = RAMPS[name][::-1] if reverse else RAMPS[name]
    return [[i / (len(anchors) - 1), colour] for i, colour in enumerate(anchors)]
