"""The colours that mean the same everywhere. They read alike on dark and on light and for the colour-blind.

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
GOOD = "#3f90da"
BAD = "#bd1f01"

#: Anchor colours of the palettes that :func:`core.figures.raster` knows, from the lowest value to the highest.
#: ``diverging`` goes through near-white at the middle; ``sequential`` is viridis, sampled.
RAMPS = {
    "diverging": ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"),
    "sequential": ("#440154", "#443983", "#31688e", "#21918c", "#35b779", "#90d743", "#fde725"),
    "grey": ("#000000", "#ffffff"),
}
