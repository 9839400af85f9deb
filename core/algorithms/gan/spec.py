"""The declaration of the generative adversarial network: panels, presets that are claims, metrics. No torch here."""

from core import metrics
from core.algorithms.gan.config import IMAGES, PLANE, GANConfig
from core.algorithms.gan.diagnoses import DIAGNOSES
from core.experiment import Experiment, Metric, Panel, Paper, Preset
from core.words import N_

_VIEWS = "core.algorithms.gan.views"

PANELS = (
    Panel(
        "samples",
        N_("What G makes"),
        N_(
            "Samples of G, always of the same noise. Points of the plane lie over D's output (blue: real); arrows show "
            "where its gradient pushes them."
        ),
        view=f"{_VIEWS}:samples",
        size="hero",
    ),
    Panel(
        "modes",
        N_("Modes covered"),
        N_("How many clouds (or stretches, or classes) G's samples fall into."),
        metrics=("modes/covered",),
        size="side",
    ),
    Panel(
        "quality",
        N_("High quality"),
        N_("Share of the samples within 3σ of where real ones lie."),
        metrics=("modes/quality",),
        size="side",
        shown_if={"data": PLANE},
    ),
    Panel(
        "frechet",
        N_("Fréchet distance"),
        N_(
            "How far samples are from real test images in the features of a small classifier of our own: not the FID "
            "of the papers. Even real images do not reach 0."
        ),
        metrics=("images/frechet",),
        size="side",
        scale="log",
        shown_if={"data": IMAGES},
    ),
    Panel(
        "loss",
        N_("Losses"),
        N_("What D and G each minimise. That one falls means little: when one wins, the other loses."),
        metrics=("D/loss", "G/loss"),
        size="side",
    ),
    Panel(
        "answers",
        N_("D's outputs"),
        N_(
            "How often D gives each output, for real and for generated samples: where they overlap, D cannot tell them "
            "apart."
        ),
        view=f"{_VIEWS}:d_outputs",
    ),
    Panel(
        "latent",
        N_("Map of the latent space"),
        N_("A grid over the noise as G bends it; all noise beyond the first two numbers is 0."),
        view=f"{_VIEWS}:latent",
        shown_if={"data": PLANE},
    ),
    Panel(
        "between",
        N_("Between two samples"),
        N_(
            "From the noise of one image to that of another: a G that generalises makes an image at every step of the "
            "way."
        ),
        view=f"{_VIEWS}:interpolation",
        shown_if={"data": IMAGES},
    ),
    Panel(
        "nearest",
        N_("Does it copy?"),
        N_("Samples above, under each the training image nearest to it: alike is good, the same would be a copy."),
        view=f"{_VIEWS}:nearest",
        shown_if={"data": IMAGES},
    ),
    Panel(
        "gradient",
        N_("Gradients"),
        N_("Length of the gradient of either network: where G's is tiny, G hardly learns."),
        metrics=("D/gradient", "G/gradient"),
        scale="log",
    ),
    Panel(
        "outputs",
        N_("D(x) and D(G(z))"),
        N_("D's mean output for real and for generated samples: as probabilities where the loss makes them so."),
        metrics=("D/real", "D/fake"),
    ),
    Panel(
        "classes",
        N_("Classes of the samples"),
        N_("What a small classifier takes the samples for, and how sure it is; dashed: a fair share of each."),
        view=f"{_VIEWS}:classes",
        shown_if={"data": IMAGES},
    ),
    Panel(
        "score",
        N_("Inception-style score"),
        N_("High when each sample is clearly of a class and all classes occur; by our own small classifier."),
        metrics=("images/score",),
        size="folded",
        shown_if={"data": IMAGES},
    ),
    Panel(
        "confidence",
        N_("Certainty"),
        N_("How sure the small classifier is of a sample's class, on average."),
        metrics=("images/confidence",),
        size="folded",
        shown_if={"data": IMAGES},
    ),
)

METRICS = (
    Metric("D/loss", N_("D's loss"), N_("Loss of D in its last update, with the gradient penalty.")),
    Metric("G/loss", N_("G's loss"), N_("Loss of G in its last update.")),
    Metric("D/gradient", N_("D's gradient"), N_("Length of the gradient of all of D's weights in its last update.")),
    Metric("G/gradient", N_("G's gradient"), N_("Length of the gradient of all of G's weights in its last update.")),
    Metric("D/real", N_("D(x), real"), N_("D's mean output for the real samples of its last update.")),
    Metric("D/fake", N_("D(G(z)), generated"), N_("D's mean output for the generated samples of its last update.")),
    Metric(
        "modes/covered",
        N_("Modes covered"),
        N_(
            "Modes that got at least a tenth of a fair share of the samples, within 3σ; for images classes, of samples "
            "that a small classifier is at least 50 % sure of."
        ),
        "high",
    ),
    Metric("modes/quality", N_("High quality"), N_("Share of the samples within 3σ of a mode."), "high"),
    Metric(
        "images/frechet",
        N_("Fréchet distance"),
        N_(
            "Between 1,000 samples and test images, in the 64 features of a small classifier trained on the same data. "
            "So few make it too large: training images of MNIST's 5,000 have 1.5 to 2.5."
        ),
        "low",
    ),
    Metric(
        "images/score",
        N_("Inception-style score"),
        N_("exp of the mean KL divergence of a sample's classes from all samples'; 1 to the number of classes."),
        "high",
    ),
    Metric(
        "images/confidence",
        N_("Certainty"),
        N_("Mean probability that the small classifier gives the class it predicts."),
        "high",
    ),
)

PRESETS = (
    Preset(
        "balanced",
        N_("A balanced game"),
        N_("One step each: G finds at least 7 of 8 clouds, with 90 % of its samples right on them."),
        {},
        {"steps": 30_000},
    ),
    Preset(
        "eager",
        N_("G runs ahead"),
        N_(
            "Five steps of G for each of D, and four numbers of noise: the samples crowd together where D's output is "
            "high and settle on no cloud. Mode collapse is diagnosed."
        ),
        {"g_steps": 5, "latent": 4},
        {"steps": 6000},
    ),
    Preset(
        "packed",
        N_("The same, packed"),
        N_("D judges two points at once and sees when they are too alike: at least 7 clouds."),
        {"g_steps": 5, "latent": 4, "packing": 2},
        {"steps": 6000},
    ),
    Preset(
        "saturated",
        N_("D too good"),
        N_("The first paper's minimax loss and five steps of D: D becomes sure, and G stops, at 1 cloud at the most."),
        {"loss": "minimax", "d_steps": 5},
        {"steps": 8000},
    ),
    Preset(
        "wasserstein",
        N_("Wasserstein"),
        N_("A critic with a gradient penalty may be as good as it likes: all 8 clouds."),
        {"loss": "wasserstein_gp", "d_steps": 5},
        {"steps": 18_000},
    ),
    Preset(
        "digits",
        N_("Handwritten digits"),
        N_("Noise becomes digits that no one wrote: all ten kinds occur, as a small classifier reads them."),
        {
            "data": "mnist_5k",
            "latent": 32,
            "g_layers": (128, 256),
            "d_layers": (256, 128),
            "g_norm": True,
            "batch_size": 64,
            "g_lr": 5e-4,
            "d_lr": 2e-4,
        },
        {"steps": 6000},
    ),
    Preset(
        "convolutions",
        N_("Digits by convolutions"),
        N_(
            "Convolutions use which pixels are neighbours: all ten kinds of digits, nearer to real ones by the Fréchet "
            "distance."
        ),
        {
            "data": "mnist_5k",
            "architecture": "dcgan",
            "latent": 32,
            "g_norm": True,
            "batch_size": 64,
            "g_lr": 1e-3,
            "d_lr": 5e-4,
        },
        {"steps": 4000},
    ),
)

experiment = Experiment(
    slug="gan",
    title=N_("Generative adversarial network"),
    family=N_("Generation"),
    tagline=N_("One network invents, the other finds it out: both get better."),
    paper=Paper(
        "Generative Adversarial Nets",
        "I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville, Y. Bengio",
        2014,
        "https://arxiv.org/abs/1406.2661",
    ),
    config=GANConfig,
    panels=PANELS,
    presets=PRESETS,
    metrics=METRICS,
    diagnoses=metrics.sentences(DIAGNOSES),
    program="core.algorithms.gan",
    place=7,
    parts=(N_("D"), N_("G")),
    snapshot_budget=0.02,
)
