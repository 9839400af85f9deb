"""The declaration of the convolutional network: panels, presets that are claims, metrics, diagnoses. No torch here."""

from dataclasses import replace

from core import metrics
from core.algorithms.cnn.config import CONVOLUTIONAL, CNNConfig
from core.algorithms.cnn.diagnoses import DIAGNOSES
from core.algorithms.cnn.requests import CANVAS, DrawRequest, FoolRequest, InsideRequest, MoveRequest
from core.experiment import Experiment, Metric, Panel, Paper, Preset, Probe
from core.words import N_

_VIEWS = "core.algorithms.cnn.views"

PANELS = (
    Panel(
        "journey",
        N_("One picture on its way"),
        N_("What each layer makes of the chosen picture, and the class probabilities."),
        view=f"{_VIEWS}:journey",
        size="hero",
    ),
    metrics.LOSS_PANEL,
    replace(
        metrics.accuracy_panel(),
        sentence=N_("Share in the right class; also of test pictures moved aside."),
        metrics=("train/accuracy", "test/accuracy", "moved/accuracy"),
    ),
    Panel(
        "pictures",
        N_("Test pictures"),
        N_("Under each its predicted class, red where it is wrong. Click one to follow it through the network."),
        view=f"{_VIEWS}:pictures",
        click="picture",
    ),
    Panel(
        "filters",
        N_("Filters of the first layer"),
        N_("The windows of weights that are moved over the picture: red positive, blue negative."),
        view=f"{_VIEWS}:filters",
    ),
    Panel(
        "where",
        N_("Where it looks (Grad-CAM)"),
        N_("What glows raises the score of the predicted class, by the last maps that still have places."),
        view=f"{_VIEWS}:where_it_looks",
        shown_if=CONVOLUTIONAL,
    ),
    Panel(
        "map",
        N_("Map of the last hidden layer"),
        N_("Test pictures by what the outputs read, on its two main directions; the colour is the true class."),
        view=f"{_VIEWS}:last_hidden",
        click="picture",
    ),
    Panel(
        "mistakes",
        N_("Mistakes"),
        N_("Test pictures the network gets wrong, most confident first: true class → predicted class."),
        view=f"{_VIEWS}:mistakes",
    ),
    metrics.GRADIENT_PANEL,
    metrics.UPDATE_RATIO_PANEL,
    Panel(
        "dead",
        N_("Dead channels"),
        N_("Share of each convolution's channels that no picture gets through: they no longer learn."),
        metrics=("dead/layer_*",),
        size="folded",
    ),
    Panel(
        "confusion",
        N_("Confusion matrix"),
        N_("Which class (row) is taken for which (column), counted on test data."),
        view=f"{_VIEWS}:confusion",
        size="folded",
    ),
)

METRICS = (
    *metrics.CLASSIFICATION,
    Metric(
        "moved/accuracy",
        N_("moved"),
        N_("Share of at most 1,000 test pictures put into the right class after each was moved at random."),
        "high",
    ),
    *metrics.LAYERS,
)

_STOP = {"steps": 1024}
_MLP = {"network": "mlp"}
_SCRAMBLED = {"scrambled": True}
_FEW = {"train_size": 500}
_HALF = {"test_shift": 0}

PRESETS = (
    Preset(
        "digits",
        N_("Handwritten digits"),
        N_("Two convolutions of 3 × 3 read at least 96 % of 1,000 digits they never saw."),
        {},
        _STOP,
    ),
    Preset(
        "digits_mlp",
        N_("Without convolutions"),
        N_(
            "As many parameters without convolutions: 0.015 less accuracy on digits as they are, 0.12 less on digits "
            "moved by up to 2 pixels."
        ),
        _MLP,
        _STOP,
    ),
    Preset(
        "far",
        N_("Moved further"),
        N_("Moved by up to 4 pixels, at least a tenth more of the digits are read with convolutions than without."),
        {"test_shift": 4},
        _STOP,
    ),
    Preset(
        "average",
        N_("Global average pooling"),
        N_(
            "Three blocks and the mean of each map, a fourth of the parameters: of digits moved by up to 4 pixels a "
            "tenth more are read than with dense layers."
        ),
        {"test_shift": 4, "blocks": (16, 32, 64), "head": "average"},
        _STOP,
    ),
    Preset(
        "scrambled",
        N_("Scrambled pixels"),
        N_("Neighbours that are none: the same permutation of all pixels costs the convolutions at least 0.01."),
        _SCRAMBLED,
        _STOP,
    ),
    Preset(
        "scrambled_mlp",
        N_("Scrambled pixels, without convolutions"),
        N_("A dense layer knows no neighbours: the same permutation costs it nothing."),
        _SCRAMBLED | _MLP,
        _STOP,
    ),
    Preset(
        "few",
        N_("500 pictures"),
        N_("An eighth of the pictures: the network learns them by heart, and reads fewer of the others."),
        _FEW,
        _STOP,
    ),
    Preset(
        "few_shifted",
        N_("500 pictures, moved while training"),
        N_("The same 500, each time moved by up to 2 pixels: at least 0.02 more of the test digits are read."),
        _FEW | {"shift": 2},
        _STOP,
    ),
    Preset(
        "half",
        N_("The digits 0 to 4"),
        N_("Five digits, moved while training: at least 96 % of those never seen. Their strokes are used again below."),
        _HALF | {"subset": "first", "shift": 2},
        {"steps": 512},
    ),
    Preset(
        "transfer",
        N_("5 to 9, from 0 to 4"),
        N_(
            "Three pictures of each of 5 to 9, and the frozen convolutions of 0 to 4: on average 0.01 more of the "
            "others are read than from scratch."
        ),
        _HALF | {"subset": "second", "per_class": 3, "new_head": True, "frozen": True},
        {"steps": 200},
        start_from="half",
    ),
    Preset(
        "scratch",
        N_("5 to 9, from scratch"),
        N_("The same three pictures of each for a network that has learned nothing yet."),
        _HALF | {"subset": "second", "per_class": 3},
        {"steps": 200},
    ),
    Preset(
        "lenet5",
        N_("LeNet-5 of 1998"),
        N_("60,000 parameters, sub-sampling and tanh, as published: at least 94 % of 1,000 digits never seen."),
        {"network": "lenet5"},
        _STOP,
    ),
    Preset(
        "shapes",
        N_("Shapes in any colour"),
        N_(
            "Six shapes of any colour, size and place, among strokes: more than half are named; guessing gives a sixth."
        ),
        {"data": "shapes", "blocks": (16, 32, 64), "batch_norm": True, "head": "average", "test_shift": 4},
        _STOP,
    ),
    Preset(
        "mnist",
        N_("MNIST, full"),
        N_("One pass over 60,000 digits: at least 98 % of 10,000 others are read."),
        {"data": "mnist"},
        {"steps": 938},
        download=11,
    ),
)

_NEXT, _NEXT_LABEL = {"n": {"act": "next"}}, {"n": N_("Next picture")}
_ARROWS = {f"Arrow{way.title()}": {"act": way} for way in ("left", "right", "up", "down")}

PROBES = (
    Probe(
        "draw",
        N_("Draw"),
        N_("Draw, and watch what the layers make of it. The drawing is centred and scaled as MNIST's digits are."),
        request=DrawRequest,
        view=f"{_VIEWS}:journey",
        idle={},
        canvas="drawing",
        canvas_size=CANVAS,
        shown_if={"data": ("mnist_5k", "mnist", "digits", "shapes")},
    ),
    Probe(
        "move",
        N_("Move it"),
        N_(
            "Move, turn, blur or cover a test picture: press on it to cover a patch. The second picture builds up a "
            "map of how much each place counts."
        ),
        request=MoveRequest,
        view=f"{_VIEWS}:changed",
        keys=_ARROWS
        | {"t": {"act": "turn"}, "b": {"act": "blur"}, "c": {"act": "cover"}, " ": {"act": "restore"}}
        | _NEXT,
        idle={},
        labels=_NEXT_LABEL | {"t": N_("Turn"), "b": N_("Blur"), "c": N_("Cover"), " ": N_("Reset")},
        point=("x", "y"),
    ),
    Probe(
        "inside",
        N_("Look inside"),
        N_(
            "Click a unit of the map, or go there by the arrow keys: what it sees of the picture, and the patches of "
            "test pictures that excite its map most."
        ),
        request=InsideRequest,
        view=f"{_VIEWS}:inside",
        keys=_ARROWS | {"m": {"act": "channel"}, "l": {"act": "layer"}} | _NEXT,
        idle={},
        labels=_NEXT_LABEL | {"m": N_("Next map"), "l": N_("Next layer")},
        click="unit",
        shown_if=CONVOLUTIONAL,
    ),
    Probe(
        "fool",
        N_("Fool it"),
        N_("The smallest step of every pixel, all of one size, that makes the network predict another class (FGSM)."),
        request=FoolRequest,
        view=f"{_VIEWS}:fooled",
        keys={"p": {"act": "before"}} | _NEXT,
        idle={},
        labels=_NEXT_LABEL | {"p": N_("Previous picture")},
    ),
)

experiment = Experiment(
    slug="cnn",
    title=N_("Convolutional network"),
    family=N_("Vision"),
    tagline=N_("One small window of weights looks everywhere: layer by layer, strokes become digits."),
    paper=Paper(
        "Gradient-based learning applied to document recognition",
        "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner",
        1998,
        "https://doi.org/10.1109/5.726791",
    ),
    config=CNNConfig,
    panels=PANELS,
    presets=PRESETS,
    metrics=METRICS,
    diagnoses=metrics.sentences(DIAGNOSES),
    program="core.algorithms.cnn",
    place=2,
    snapshot_budget=0.03,
    probes=PROBES,
)
