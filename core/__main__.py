"""The command line: ``python -m core list | train | export | record | bench``.

``train`` goes through the same worker and the same log as the page. A bad setting ends with status 2 and one sentence.
"""

import argparse
import importlib
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core import registry, settings
from core.events import Scalars
from core.experiment import Config, Experiment, Preset, Stop
from core.runs.store.log import Head
from core.words import N_, Refusal


def main(arguments: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["bench"]:
        status: int = importlib.import_module("core.bench").main(arguments[1:])  # with flags of its own
        return status
    args = _parser().parse_args(arguments)
    try:
        match args.command:
            case "list":
                return _list(args.json)
            case "record":
                return _record(args)
            case "export":
                return _export(args)
            case _:
                return _train(args)
    except Refusal as refusal:
        print(_by_key(args, refusal), file=sys.stderr)
        return 2


def _by_key(args: argparse.Namespace, refusal: Refusal) -> str:
    """The sentence, with the key that ``--set`` knows the setting by in front: the sentence has its title."""
    experiment = registry.experiments().get(getattr(args, "slug", ""))
    known = experiment is not None and refusal.field in experiment.config.model_fields
    return f"{refusal.field}: {refusal}" if known else str(refusal)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="Tenfold on the command line.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="list | train | export | record | bench")
    listing = commands.add_parser("list", help="the algorithms with their presets and settings")
    listing.add_argument("--json", action="store_true", help="as JSON")
    train = commands.add_parser("train", help="train without a page; the run's folder is kept")
    train.add_argument("slug", nargs="?", default="", help="which algorithm; see list")
    train.add_argument("--preset", default="", help="start from these settings")
    train.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="change a setting; repeatable")
    train.add_argument("--seed", help="start of all random numbers")
    train.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    train.add_argument("--steps", help="end after this many updates")
    train.add_argument("--seconds", help="end after this much training time")
    train.add_argument("--until", metavar="METRIC=VALUE", help="end when a metric reaches a value: test/accuracy>=0.97")
    train.add_argument(
        "--from",
        dest="start_from",
        metavar="RUN[@STEP]",
        help="begin with the weights of a run's newest checkpoint, or the newest at that step or before; "
        "random: with random ones, where the preset names a run",
    )
    train.add_argument("--resume", metavar="RUN", help="continue this run from its newest checkpoint")
    train.add_argument("--quiet", action="store_true", help="no progress bar")
    train.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    export = commands.add_parser("export", help="write the files that a run's newest checkpoint gives")
    export.add_argument("run", help="which run: the name of its folder")
    export.add_argument("--step", type=int, help="from the newest checkpoint at this step or before")
    export.add_argument("--to", default=".", metavar="FOLDER", help="where to; here where nothing is said")
    record = commands.add_parser("record", help="train a preset and keep it as the run that the page opens with")
    record.add_argument("slug", help="which algorithm; see list")
    record.add_argument("--preset", default="", help="the first where none is named")
    record.add_argument("--steps", help="end after this many updates")
    record.add_argument("--seed", type=int, default=0, help="start of all random numbers")
    commands.add_parser("bench", help="measure what the engine costs", add_help=False)
    return parser


def _record(args: argparse.Namespace) -> int:
    from core.runs.worker.recordings import record

    steps = {} if args.steps is None else {"steps": args.steps}
    print(record(args.slug, args.preset, args.seed, steps))
    return 0


def _export(args: argparse.Namespace) -> int:
    from core.runs.store.export import export_run
    from core.runs.store.library import Library

    for path in export_run(Library(), args.run, Path(args.to), args.step):
        print(path)
    return 0


def _train(args: argparse.Namespace) -> int:
    from core.runs.store import control
    from core.runs.store.library import Library
    from core.runs.store.worker_lock import alive

    library = Library()
    if args.resume:
        run = args.resume
        info = library.info(run)
        experiment = registry.get(info.slug)
        if (
            args.slug not in ("", info.slug)
            or args.preset
            or args.set
            or args.seed is not None
            or args.start_from is not None
        ):
            raise Refusal("resume", N_("A resumed run keeps its settings; only when it stops can be changed."))
        stop = _stop(experiment, args, library.stop(info).model_dump(), library.config(info))
        folder = library.folder(run)
        if folder.parent != library.root:
            raise Refusal("resume", N_("A recorded run cannot be resumed."))
        if alive(folder) or not library.resumable(folder, library.view(run).head, stop):
            raise Refusal("resume", N_("This run cannot be resumed: it trains now, is at its end, or saved nothing."))
        control.write(folder, control.Control(stop=stop))  # not before: a worker that trains now reads this file, too
    else:
        experiment = registry.get(args.slug)
        preset = _preset(experiment, args.preset)
        config = _config(experiment, preset, args)
        stop = _stop(experiment, args, dict(preset.stop) if preset else {}, config)
        _check_device(args.device)
        of_preset = experiment.start_from(preset) if preset else ""
        start = library.start(of_preset if args.start_from is None else args.start_from, experiment.slug)
        name = preset.name if preset else ""
        info = library.create(experiment.slug, config, stop, args.device, "", None, name, start)
        folder = library.folder(info.id)
    return _work(library, folder, stop, args)


def _preset(experiment: Experiment, name: str) -> Preset | None:
    if not name:
        return None
    for preset in experiment.presets:
        if preset.name == name:
            return preset
    raise Refusal(
        "preset",
        N_("{title} must be one of {choices}; it was {value}."),
        title="Preset",
        choices=", ".join(preset.name for preset in experiment.presets),
        value=name,
    )


def _config(experiment: Experiment, preset: Preset | None, args: argparse.Namespace) -> Config:
    texts = {}
    for item in args.set:
        name, equals, text = item.partition("=")
        if not equals:
            raise Refusal("set", N_("A setting reads like {example}; it was {value}."), example="lr=0.01", value=item)
        texts[name.strip()] = text
    if args.seed is not None:
        texts["seed"] = args.seed
    return settings.from_text(experiment.config, texts, preset.settings if preset else {})


def _stop(experiment: Experiment, args: argparse.Namespace, base: dict[str, Any], config: Config) -> Stop:
    texts = {name: getattr(args, name) for name in ("steps", "seconds") if getattr(args, name) is not None}
    stop = settings.from_text(Stop, texts, base | (settings.parse_stop(args.until) if args.until else {}))
    return settings.check_stop(experiment, stop.model_dump(), config)


def _check_device(device: str) -> None:
    from core.runs.worker.process import devices

    if device != "cpu" and device not in (known := devices()):
        raise Refusal(
            "device",
            N_("{title} must be one of {choices}; it was {value}."),
            title="Device",
            choices=", ".join(known),
            value=device,
        )


def _work(library: Any, folder: Path, stop: Stop, args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from core.runs.worker.failures import why
    from core.runs.worker.process import work

    with tqdm(total=stop.steps, unit="step", file=sys.stderr, disable=args.quiet or not sys.stderr.isatty()) as bar:

        def watch(head: Head) -> None:
            bar.set_description(head.task or head.state, refresh=False)
            bar.n = head.step
            bar.refresh()

        code = work(folder, watch)
    view = library.view(folder.name)
    head = view.head
    metrics: dict[str, float] = {}
    sentence = why(code) if code else None
    try:
        reader = library.reader(folder.name)
    except FileNotFoundError:
        pass
    else:
        for record in reader.tail():
            if isinstance(record.event, Scalars):
                metrics.update(record.event.values)
            sentence = getattr(record.event, "sentence", None) or sentence
        reader.close()
    seconds = head.trained_s
    result = {
        "slug": view.info.slug,
        "run": view.info.id,
        "status": head.state,
        "step": head.step,
        "seconds": round(seconds, 3),
        "steps_per_s": round(head.step / seconds, 1) if seconds else 0.0,
        "metrics": {name: value if math.isfinite(value) else None for name, value in metrics.items()},
    }
    if sentence is not None:
        print(sentence, file=sys.stderr)
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{result['slug']} {result['run']}: {head.state} at step {head.step:,} after {seconds:.1f} s")
        for name, value in metrics.items():
            print(f"  {name:<24}{value:.6g}")
    return 0 if code == 0 and head.state in ("finished", "stopped") else code or 1


def _list(as_json: bool) -> int:
    found = registry.experiments().values()
    if as_json:
        print(json.dumps([_described(experiment) for experiment in found], ensure_ascii=False))
        return 0
    for experiment in found:
        print(f"{experiment.slug}  {experiment.title}: {experiment.tagline}")
        print("  presets")
        for preset in experiment.presets:
            print(f"    {preset.name:<20}{preset.title}: {preset.claim}")
        print("  settings")
        for name, field in experiment.config.model_fields.items():
            default = settings.value_to_text(field.default) or "none"
            print(f"    {name:<20}{default:<14}{field.title}: {settings.allowed(field)}")
    return 0


def _described(experiment: Experiment) -> dict[str, Any]:
    return {
        "slug": experiment.slug,
        "title": experiment.title,
        "tagline": experiment.tagline,
        "presets": [{"name": p.name, "title": p.title, "claim": p.claim} for p in experiment.presets],
        "settings": experiment.config.model_json_schema(),
        "metrics": [{"name": m.name, "title": m.title, "better": m.better} for m in experiment.metrics],
    }


if __name__ == "__main__":
    sys.exit(main())
