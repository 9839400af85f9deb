"""Fifteen and more mistakes of the kind a reviewer fears, each made in a copy of the tree: a fast test fails for each.

    python -m tests.core.algorithms.cnn.mutants

prints a table and exits with 1 where one survives. A mutant is a text that stands once in a file of ``core`` and what
is put in its place; the tests named beside it are run until the first that fails.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[4]
CODE, TESTS = "core/algorithms/cnn", "tests/core/algorithms/cnn"


@dataclass(frozen=True)
class Mutant:
    """A mistake.

    Attributes:
        module: of the algorithm. old, new: stands there once; what stands there instead.
        tests: file of tests that finds it.
    """

    title: str
    module: str
    old: str
    new: str
    tests: str


MUTANTS = (
    Mutant(
        "C3 reads all maps: the mask is lost",
        "model",
        "self.weight * self.joined, self.bias",
        "self.weight, self.bias",
        "test_model",
    ),
    Mutant(
        "dropout keeps its mask in a test",
        "model",
        "if not self.training or self.p == 0:",
        "if self.p == 0:",
        "test_model",
    ),
    Mutant("dropout does not scale up what it keeps", "model", "x * kept / (1 - self.p)", "x * kept", "test_model"),
    Mutant(
        "the head's error stops before the convolutions",
        "model",
        "self.head(self.features(x))",
        "self.head(self.features(x).detach())",
        "test_train",
    ),
    Mutant(
        "a frozen batch norm goes on averaging",
        "model",
        "            self.features.eval()\n",
        "            pass\n",
        "test_model",
    ),
    Mutant(
        "initial weights of 1998 ignore the table",
        "model",
        "joined = layer.joined if isinstance(layer, PartialConvolution) else torch.ones(())",
        "joined = torch.ones(())",
        "test_model",
    ),
    Mutant(
        "the receptive field grows by the new jump",
        "sizes",
        "        self.field += (kernel - 1) * self.jump\n        self.jump *= stride",
        "        self.jump *= stride\n        self.field += (kernel - 1) * self.jump",
        "test_model",
    ),
    Mutant(
        "Grad-CAM without its ReLU",
        "explain",
        "return F.relu((alpha * maps.detach()).sum(dim=1))",
        "return (alpha * maps.detach()).sum(dim=1)",
        "test_explain",
    ),
    Mutant(
        "Grad-CAM weighs by the sum, not the mean",
        "explain",
        "gradient.mean(dim=(2, 3), keepdim=True)",
        "gradient.sum(dim=(2, 3), keepdim=True)",
        "test_explain",
    ),
    Mutant("FGSM walks down the loss", "explain", "tried = (x + direction", "tried = (x - direction", "test_explain"),
    Mutant(
        "the schedule is a step ahead",
        "train",
        "learning_rate(config, s.step))",
        "learning_rate(config, s.step + 1))",
        "test_train",
    ),
    Mutant(
        "the rate is set after the step",
        "train",
        "        set_learning_rate(optimizer, learning_rate(config, s.step))\n        optimizer.step()",
        "        optimizer.step()\n        set_learning_rate(optimizer, learning_rate(config, s.step))",
        "test_train",
    ),
    Mutant(
        "weight decay pulls at biases",
        "train",
        '{"params": others, "weight_decay": 0.0}',
        '{"params": others, "weight_decay": config.weight_decay}',
        "test_train",
    ),
    Mutant("label smoothing is left out", "train", ", label_smoothing=config.label_smoothing", "", "test_train"),
    Mutant(
        "the scale is also the test part's",
        "train",
        "scale_of(data.x_train))",
        "scale_of(np.concatenate([data.x_train, data.x_test])))",
        "test_train",
    ),
    Mutant(
        "the test part is the training part",
        "metrics",
        "evaluate(partial(logits, s), s.x_test, s.y_test, CHUNK)",
        "evaluate(partial(logits, s), s.x_train, s.y_train, CHUNK)",
        "test_train",
    ),
    Mutant(
        "a subset's test pictures are trained on",
        "train",
        "x_train=data.x_train[train],\n        y_train=data.y_train[train]",
        "x_train=data.x_test[test],\n        y_train=data.y_test[test]",
        "test_train",
    ),
    Mutant("tested in training mode", "metrics", "        self.model.eval()\n", "        pass\n", "test_train"),
    Mutant(
        "test pictures are augmented",
        "metrics",
        "s.model(s.inputs(x))\n    return",
        "s.model(s.inputs(augment(as_numbers(x), s.config, s.augmentation_rng)))\n    return",
        "test_train",
    ),
    Mutant(
        "the permutation depends on the seed",
        "train",
        "scramble(*config.image_shape[1:])",
        "torch.randperm(64, generator=generator(config.seed, 'x'))",
        "test_train",
    ),
    Mutant("the old head comes along", "train", "        if self.config.new_head:", "        if False:", "test_train"),
    Mutant(
        "the occlusion map is of the picture as it was",
        "probes",
        "plain[best] - after[best]",
        "before[best] - plain[best]",
        "test_probes",
    ),
    Mutant(
        "a unit's patch ignores the padding",
        "probes",
        "left, top = (size.start + size.jump * n for n in (x, y))\n        return",
        "left, top = (size.jump * n for n in (x, y))\n        return",
        "test_probes",
    ),
)


def survives(mutant: Mutant, tree: Path) -> tuple[bool, str]:
    """Whether the tests pass although the mistake is made, and the first test that fails."""
    path = tree / CODE / f"{mutant.module}.py"
    text = path.read_text("utf-8")
    assert text.count(mutant.old) == 1, f"{mutant.title}: the text stands {text.count(mutant.old)} times"
    mutated = text.replace(mutant.old, mutant.new)
    if "augment(" in mutant.new:
        mutated = mutated.replace("from core.class", "from core.augmentation import augment\nfrom core.class", 1)
        mutated = mutated.replace("train import CNN", "train import CNN, as_numbers", 1)
    path.write_text(mutated, "utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"{TESTS}/{mutant.tests}.py"]
        environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    finally:
        path.write_text(text, "utf-8")
    failed = [line.split("::")[1].split(" ")[0] for line in done.stdout.splitlines() if line.startswith("FAILED")]
    return done.returncode == 0, failed[0] if failed else done.stdout[-200:]


def main() -> int:
    left = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for part in ("core", "tests", "pages", "assets"):
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        for mutant in MUTANTS:
            began = time.monotonic()
            alive, by = survives(mutant, tree)
            left += alive
            verdict = "SURVIVES" if alive else "found"
            print(
                f"{mutant.title:<52} {verdict:<8} {time.monotonic() - began:5.1f} s  {'' if alive else by}", flush=True
            )
    print(f"{len(MUTANTS)} mutants, {left} survive")
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main())
