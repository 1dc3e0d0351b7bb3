"""Draws the dashboards from what a living hub shows, for the documentation: `python -m tests.observability.pictures`.

Needs requirements/pictures.txt beside the rest. Grafana draws them better; this is near enough to see what is there.
"""

import math
import random
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.conftest import PostgresServer, migrate
from tests.e2e.running import HubProcess, e164
from tests.observability.files import ROOT, dashboards
from tests.observability.living import Life, a_life, live, program
from tests.observability.watching import Prometheus

FOLDER = ROOT / "docs" / "operations" / "pictures"
STEADY_S = 120
WIDTH, ROW = 18.0, 0.42
COLOURS = {"green": "#3d9a50", "orange": "#e07b00", "red": "#d0312d", "text": "#333333"}

Series = Sequence[tuple[str, Sequence[float], Sequence[float]]]


def main() -> None:
    mpl.use("Agg")
    mpl.rcParams.update({"font.family": "DejaVu Sans", "font.size": 8, "axes.edgecolor": "#cccccc"})
    server = PostgresServer()
    with tempfile.TemporaryDirectory() as folder, server.database() as url:
        migrate(url)
        with a_life(url, Path(folder)) as (life, api):
            live(life, api)
            _work(life, api)
            FOLDER.mkdir(parents=True, exist_ok=True)
            shown = Shown(life.prometheus, life.began_s + 5)
            for name, board in dashboards().items():
                _draw(board, shown).savefig(FOLDER / f"{name}.png", dpi=80)
    server.close()


def _work(life: Life, api: HubProcess) -> None:
    """Programs that post now and then, as they do on any day."""
    dice = random.Random(1)
    callers = [
        life.site.caller(api, life.site.program(name=f"Office {index}", sender=f"+1970555020{index}", rate=rate))
        for index, rate in enumerate(("1", "2", "5", "10"))
    ]
    vonage = program(life, api)
    until = time.monotonic() + STEADY_S
    while time.monotonic() < until:
        for caller, rate in zip(callers, (1, 2, 5, 10), strict=True):
            if dice.random() < 0.5:
                numbers = e164(dice.randint(1, 2 * rate), first=dice.randint(0, 9000))
                caller.send([*numbers, *(["+15005550020"] if dice.random() < 0.2 else [])])
            if dice.random() < 0.1:
                caller.get("/api/TextMessages?Limit=10")
        if dice.random() < 0.3:
            vonage.send(e164(dice.randint(1, 6), first=dice.randint(0, 9000)))
        if dice.random() < 0.05:
            vonage.post("/api/TextMessages", {"Message": "Hello", "PhoneNumber": "CALL"})
        time.sleep(1)


class Shown:
    """What Prometheus gives for the time of the picture."""

    def __init__(self, prometheus: Prometheus, start: float) -> None:
        self._prometheus = prometheus
        self._start, self._end = start, time.time()

    def series(self, target: Mapping[str, Any]) -> Series:
        expr = re.sub(r"\$(?!__)\w+", ".*", target["expr"].replace("$__rate_interval", "15s"))
        found = self._prometheus.range(expr, start=self._start, end=self._end, step=2)
        legend = target["legendFormat"] or "value"
        return [
            (
                re.sub(r"\{\{(\w+)\}\}", lambda label, of=each: of["metric"].get(label[1], ""), legend).strip(),
                [(float(at) - self._start) / 60 for at, _ in each["values"]],
                [float(value) for _, value in each["values"]],
            )
            for each in found
        ]

    def now(self, target: Mapping[str, Any], key: str) -> Mapping[str, float]:
        """The last values by the label `key`."""
        found = self._prometheus.range(target["expr"], start=self._end - 4, end=self._end, step=2)
        return {each["metric"].get(key, ""): float(each["values"][-1][1]) for each in found}


def _draw(board: Mapping[str, Any], shown: Shown) -> Figure:
    panels = board["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    height = rows * ROW + 0.8
    figure = plt.figure(figsize=(WIDTH, height), facecolor="#f4f5f5")
    figure.text(0.01, 1 - 0.4 / height, board["title"], fontsize=15, weight="bold", va="center")
    for panel in panels:
        place = panel["gridPos"]
        top = 1 - (0.8 + place["y"] * ROW) / height
        if panel["type"] == "row":
            figure.text(0.01, top - 0.25 / height, f"▾ {panel['title']}", fontsize=11, weight="bold", va="center")
            continue
        x, w, h = place["x"] / 24, place["w"] / 24, place["h"] * ROW / height
        card = figure.add_axes((x + 0.002, top - h + 0.05 / height, w - 0.004, h - 0.1 / height), facecolor="white")
        card.set(xticks=[], yticks=[])
        card.text(
            *(0.06 / (w * WIDTH), 1 - 0.2 / (h * height)), panel["title"], va="center", weight="bold", fontsize=8.5
        )
        room = 0.75 if panel["type"] == "timeseries" else 0.3
        inner = (
            x + 0.8 / WIDTH,
            top - h + room / height,
            w - 1.0 / WIDTH,
            h - (room + 0.5) / height,
        )
        _DRAW[panel["type"]](figure, card, inner, panel, shown)
    return figure


def _stat(_figure: Figure, card: Axes, _inner: tuple[float, ...], panel: Mapping[str, Any], shown: Shown) -> None:
    found = [
        value for _, _, values in shown.series(panel["targets"][0]) for value in values[-1:] if not math.isnan(value)
    ]
    defaults = panel["fieldConfig"]["defaults"]
    text, colour = "no data", "text"
    if found:
        text = _written(round(found[0], defaults.get("decimals", 6)), defaults["unit"])
        steps = defaults["thresholds"]["steps"]
        colour = [step["color"] for step in steps if step["value"] is None or found[0] >= step["value"]][-1]
    card.text(0.5, 0.4, text, fontsize=20, ha="center", va="center", color=COLOURS[colour], weight="bold")


def _timeseries(figure: Figure, _card: Axes, inner: tuple[float, ...], panel: Mapping[str, Any], shown: Shown) -> None:
    axes = figure.add_axes(inner, facecolor="white")
    defaults = panel["fieldConfig"]["defaults"]
    lines = [line for target in panel["targets"] for line in shown.series(target)]
    palette = mpl.colormaps["tab10"].colors
    if defaults["custom"]["stacking"]["mode"] == "normal":
        times = sorted({at for _, ats, _ in lines for at in ats})
        layers = [dict(zip(ats, values, strict=True)) for _, ats, values in lines]
        stacked = [[_zero(layer.get(at, 0.0)) for at in times] for layer in layers]
        if stacked:
            axes.stackplot(times, stacked, alpha=0.5, colors=palette, labels=[name for name, _, _ in lines])
    else:
        for index, (name, ats, values) in enumerate(lines):
            axes.plot(ats, values, linewidth=1.2, color=palette[index % 10], label=name)
    axes.set_ylim(bottom=defaults.get("min"), top=defaults.get("max"))
    axes.grid(visible=True, color="#eeeeee")
    axes.tick_params(length=0, labelsize=7)
    axes.yaxis.set_major_formatter(lambda value, _: _written(value, defaults["unit"]))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} min")
    for spine in axes.spines.values():
        spine.set_visible(False)
    if lines:
        axes.legend(
            loc="upper left", bbox_to_anchor=(-0.08, -0.13), ncol=3, frameon=False, fontsize=6.5, handlelength=1
        )
    else:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color="#999999")


def _heatmap(figure: Figure, _card: Axes, inner: tuple[float, ...], panel: Mapping[str, Any], shown: Shown) -> None:
    axes = figure.add_axes(inner)
    lines = sorted(shown.series(panel["targets"][0]), key=lambda line: float(line[0]))
    times = sorted({at for _, ats, _ in lines for at in ats})
    below = [dict(zip(ats, values, strict=True)) for _, ats, values in lines]
    counts = [[_zero(layer.get(at, 0.0)) for at in times] for layer in below]
    bands = [counts[0]] + [[b - a for a, b in zip(*pair, strict=True)] for pair in pairwise(counts)]
    axes.pcolormesh(times, range(len(bands)), [[math.sqrt(max(v, 0)) for v in band] for band in bands], cmap="Blues")
    unit = panel["fieldConfig"]["defaults"]["unit"]
    axes.set_yticks(range(len(lines)), [_written(float(name), unit) for name, _, _ in lines], fontsize=6)
    axes.tick_params(length=0, labelsize=7)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} min")


def _table(_figure: Figure, card: Axes, _inner: tuple[float, ...], panel: Mapping[str, Any], shown: Shown) -> None:
    key = panel["transformations"][0]["options"]["byField"]
    columns = panel["fieldConfig"]["overrides"]
    titles = [key, *(column["matcher"]["options"] for column in columns)]
    units = [column["properties"][0]["value"] for column in columns]
    values = [
        shown.now(
            {**target, "expr": re.sub(r"\$(?!__)\w+", ".*", target["expr"].replace("$__rate_interval", "15s"))}, key
        )
        for target in panel["targets"]
    ]
    keys = sorted({each for column in values for each in column})[:8]
    cells = [
        [each, *(_written(c[each], unit) if each in c else "" for c, unit in zip(values, units, strict=True))]
        for each in keys
    ]
    shape = card.table(cells or [[""] * len(titles)], colLabels=titles, bbox=(0.01, 0.04, 0.98, 0.84), cellLoc="left")
    for cell in shape.get_celld().values():
        cell.set(edgecolor="#e5e5e5", linewidth=0.5)


_DRAW = {"stat": _stat, "timeseries": _timeseries, "heatmap": _heatmap, "table": _table}


def _zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _written(value: float, unit: str) -> str:
    """As Grafana would, more or less."""
    if math.isnan(value):
        return ""
    if unit == "percentunit":
        return f"{value:.1%}".replace(".0%", "%")
    if unit == "s":
        if abs(value) >= 60:
            return f"{value / 60:.3g} min"
        return f"{value:.3g} s" if abs(value) >= 1 or value == 0 else f"{value * 1000:.3g} ms"
    if unit == "bytes":
        return f"{value / 2**20:.3g} MiB"
    after = " req/s" if unit == "reqps" else unit.removeprefix("suffix:") if unit.startswith("suffix:") else ""
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}") + after


if __name__ == "__main__":
    main()
