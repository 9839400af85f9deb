"""A new algorithm is one folder, one folder of tests and a page of two lines: no edit anywhere else.

The toy beside this file is put into a copy of the project, and the registry's and the contract suite's tests run there.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def lesson(language: str) -> str:
    """A text as long as a lesson, in sections."""
    sentence = "A unit weighs its inputs. " if language == "en" else "一个单元对输入加权求和。"
    return "# Perceptron\n" + "".join(f"\n## Section {i}\n\n{sentence * 40}\n" for i in range(1, 9))


def test_a_toy_algorithm_passes_the_registry_and_contract_tests(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in ("core", "pages", "tests", "assets"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", "new_algorithm"))
    shutil.copy(ROOT / "pyproject.toml", project)
    before = {path: path.read_bytes() for path in project.rglob("*.py")}

    folder, tests = project / "core/algorithms/perceptron", project / "tests/core/algorithms/perceptron"
    shutil.copytree(HERE / "perceptron", folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(HERE / "perceptron_tests", tests, ignore=shutil.ignore_patterns("__pycache__"))
    for language in ("en", "zh"):
        (folder / f"learn.{language}.md").write_text(lesson(language))
    page = (ROOT / "pages/dnn.py").read_text()
    (project / "pages/perceptron.py").write_text(page.replace("dnn", "perceptron").replace("DNN", "Perceptron"))

    suites = ["tests/core/test_registry.py", "tests/core/algorithms/test_contract.py", str(tests.relative_to(project))]
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", "perceptron", *suites]
    ran = subprocess.run(command, cwd=project, env={**os.environ}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed and int(passed[1]) >= 25, ran.stdout[-1000:]
    assert all(path.read_bytes() == content for path, content in before.items()), "nothing else was edited"
