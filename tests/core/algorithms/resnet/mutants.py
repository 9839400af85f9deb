"""Errors that a reviewer fears, set one at a time into a copy of the tree: each makes a fast test fail.

``python -m tests.core.algorithms.resnet.mutants`` prints a table and ends with 1 where an error was not noticed. Each
mutant is a line of the algorithm, what it becomes, and the tests that have to notice.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[4]
CODE, TESTS = Path("core/algorithms/resnet"), Path("tests/core/algorithms/resnet")


@dataclass(frozen=True)
class Mutant:
    """An error: ``old`` in ``file`` becomes ``new``, and ``test`` fails."""

    name: str
    file: str
    old: str
    new: str
    test: str


MUTANTS = (
    Mutant("no addition", "model.py", "torch.add(self.shortcut(x), branch, alpha=gate) if", "branch if",
           "test_model"),
    Mutant("an addition in the plain network, too", "model.py", "alpha=gate) if self.residual else branch",
           "alpha=gate)", "test_model"),
    Mutant("a branch that passes no gradient", "model.py", "branch = self.branch(x)",
           "branch = self.branch(x.detach())", "test_update"),
    Mutant("a shortcut of other pixels", "model.py", "x[:, :, :: self.stride, :: self.stride]",
           "x[:, :, self.stride - 1 :: self.stride, :: self.stride]", "test_model"),
    Mutant("a shortcut padded on the other side", "model.py", "(0, 0, 0, 0, 0, added)", "(0, 0, 0, 0, added, 0)",
           "test_model"),
    Mutant("ReLU after the addition in 2016's order", "model.py", "if not self.pre_activation:\n            y =",
           "if True:\n            y =", "test_model"),
    Mutant("no last norm in 2016's order", "model.py", "x = F.relu(self.last_norm(x))", "x = F.relu(x)", "test_model"),
    Mutant("half the initial variance", "model.py", "math.sqrt(gain / n_in)", "math.sqrt(gain / n_in / 2)",
           "test_model"),
    Mutant("zero γ in the plain network, too", "model.py", "if zero_gamma and net.residual:", "if zero_gamma:",
           "test_model"),
    Mutant("a gate that does not weigh the branch at a test", "model.py", "branch, alpha=gate)",
           "branch)", "test_model"),
    Mutant("survival that counts from 0", "model.py", "1 - (i + 1) / L * drop", "1 - i / L * drop", "test_model"),
    Mutant("stochastic depth in the plain network, too", "model.py", "drop if residual else 1.0", "drop",
           "test_model"),
    Mutant("statistics that a measurement changes", "model.py", "norm.track_running_stats = False",
           "norm.track_running_stats = True", "test_model"),
    Mutant("no block is ever skipped", "train.py", "sample_gates(net, s.gate_rng)", "[1.0] * len(net.blocks)",
           "test_update"),
    Mutant("other initial weights for each network", "train.py", 'generator(config.seed, "weights")',
           'generator(config.seed, "weights" + name)', "test_train"),
    Mutant("one network's gradient cleared by the other", "train.py", "loss.backward()",
           "s.optimizer.zero_grad(); loss.backward()", "test_train"),
    Mutant("a loss that counts the other network's, too", "train.py", "y)\n            loss.backward()",
           "y) + sum(losses)\n            loss.backward()", "test_update"),
    Mutant("pictures standardised by the test part", "train.py", "data.x_train[:, c]", "data.x_test[:, c]",
           "test_train"),
    Mutant("a rate that drops a step late", "train.py", "step >= drop", "step > drop", "test_update"),
    Mutant("live momentum that never arrives", "train.py", 'group["momentum"], group["weight_decay"] =', "_, _ =",
           "test_train"),
    Mutant("a gradient of one convolution of the block", "train.py", "view(-1, 2).sum(dim=1)", "view(-1, 2)[:, 0]",
           "test_train"),
    Mutant("batch norm in training mode at the test", "metrics.py", "net.eval()", "net.train()", "test_train"),
    Mutant("accuracy of training pictures", "metrics.py", "predictor(s, net), s.x_test, s.y_test",
           "predictor(s, net), s.x_train, s.y_train", "test_train"),
    Mutant("a ratio of the ends, not of the blocks", "metrics.py", "float(norms[1]), float(norms[-2])",
           "float(norms[0]), float(norms[-1])", "test_train"),
    Mutant("cut networks tested on training pictures", "probes.py", "self.s.x_test[:TESTED], self.s.y_test[:TESTED]",
           "self.s.x_train[:TESTED], self.s.y_train[:TESTED]", "test_probes"),
    Mutant("directions as long as whole layers", "probes.py", "tuple(range(1, W.dim()))", "tuple(range(W.dim()))",
           "test_probes"),
    Mutant("batch norm moved along the plane", "probes.py", "if p.dim() > 1", "if p.dim() > 0", "test_probes"),
    Mutant("one tower drawn with the other's gradients", "views.py", 'norms = arrays["gradient"][i]',
           'norms = arrays["gradient"][0]', "test_views"),
)  # fmt: skip


def noticed(mutant: Mutant, tree: Path) -> bool:
    """Whether its test fails with this error in the tree, which is as it was afterwards."""
    file = tree / CODE / mutant.file
    text = file.read_text("utf-8")
    assert mutant.old in text, f"{mutant.name}: {mutant.file} has changed"
    file.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    try:
        return not passes(tree, mutant.test)
    finally:
        file.write_text(text, "utf-8")


def passes(tree: Path, *tests: str) -> bool:
    """Whether these tests pass in the tree."""
    files = [f"{TESTS / test}.py" for test in tests]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    return subprocess.run(command, cwd=tree, capture_output=True).returncode == 0


def main() -> int:
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for part in ("core", "pages", "tests"):
            shutil.copytree(HOUSE / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("assets", "pyproject.toml"):
            (tree / part).symlink_to(HOUSE / part)
        assert passes(tree, *sorted({mutant.test for mutant in MUTANTS})), "the tests pass without an error"
        for mutant in MUTANTS:
            began = time.monotonic()
            outcome = "fails" if noticed(mutant, tree) else "NOT NOTICED"
            missed += outcome != "fails"
            print(f"{mutant.name:50} {mutant.test:12} {outcome:12} {time.monotonic() - began:5.1f} s", flush=True)
    print(f"{len(MUTANTS)} mutants, {missed} not noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
