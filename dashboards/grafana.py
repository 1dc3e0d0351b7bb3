"""Grafana's dashboards as plain values: as much of its format as these dashboards need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]

# The format's version; later Grafanas bring it up to theirs.
_SCHEMA_VERSION = 42
_COLUMNS = 24

_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

# `HUB` in an expression: the processes that are chosen above the dashboard.
_HUB = 'namespace=~"$namespace", job=~"$job", instance=~"$instance"'

RED, ORANGE, GREEN = "red", "orange", "green"


def grown(counter: str, chosen: str = "HUB", *, over: str = "$__rate_interval") -> str:
    """What a counter has grown by. `increase` alone misses the first of what is rare: its series begins with it."""
    counter = f"{counter}{{{chosen}}}"
    return f"(({counter} unless {counter} offset {over}) or increase({counter}[{over}]))"


@dataclass(frozen=True, slots=True)
class Query:
    """`legend` may name labels as `{{label}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """`description` says what is good, what is bad, and what to do. `steps` are values from which a colour holds."""

    kind: str
    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    width: int
    height: int
    options: Json
    custom: Json = field(default_factory=dict)
    steps: Sequence[tuple[float, str]] = ()
    most: float | None = None
    least: float | None = 0
    decimals: int | None = None
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()

    def sized(self, width: int, height: int | None = None) -> "Panel":
        return replace(self, width=width, height=height or self.height)

    def json(self, number: int, x: int, y: int) -> Json:
        steps: list[Json] = [{"color": GREEN if self.steps else "text", "value": None}]
        steps += [{"color": colour, "value": value} for value, colour in self.steps]
        defaults: Json = {
            "unit": self.unit,
            "custom": self.custom,
            "thresholds": {"mode": "absolute", "steps": steps},
            "color": {"mode": "thresholds" if self.kind == "stat" else "palette-classic"},
            "mappings": [],
        }
        limits = {"min": self.least, "max": self.most, "decimals": self.decimals}
        defaults |= {name: value for name, value in limits.items() if value is not None}
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": _DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [self._target(each, index) for index, each in enumerate(self.queries)],
            "fieldConfig": {"defaults": defaults, "overrides": list(self.overrides)},
            "options": self.options,
            "transformations": list(self.transformations),
        }

    def _target(self, query: Query, index: int) -> Json:
        at_once = self.kind == "table"
        form = {"table": "table", "heatmap": "heatmap"}.get(self.kind, "time_series")
        return {
            "refId": chr(ord("A") + index),
            "datasource": _DATASOURCE,
            "expr": query.expr.replace("HUB", _HUB),
            "legendFormat": query.legend,
            "editorMode": "code",
            "format": form,
            "instant": at_once,
            "range": not at_once,
        }


def series(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    stacked: bool = False,
    most: float | None = None,
    least: float | None = 0,
) -> Panel:
    """Lines over time."""
    return Panel(
        kind="timeseries",
        title=title,
        description=description,
        unit=unit,
        queries=queries,
        width=8,
        height=8,
        most=most,
        least=least,
        custom={
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 30 if stacked else 8,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        },
        options={
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    )


def stat(
    title: str,
    description: str,
    unit: str,
    query: Query,
    *,
    steps: Sequence[tuple[float, str]] = (),
    decimals: int | None = None,
) -> Panel:
    """One number, the newest, coloured by `steps`."""
    return Panel(
        kind="stat",
        title=title,
        description=description,
        unit=unit,
        queries=[query],
        width=3,
        height=4,
        steps=steps,
        decimals=decimals,
        options={
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "auto",
        },
    )


def heatmap(title: str, description: str, unit: str, expr: str) -> Panel:
    """Of a histogram's buckets."""
    return Panel(
        kind="heatmap",
        title=title,
        description=description,
        unit=unit,
        queries=[Query(expr, "{{le}}")],
        width=12,
        height=8,
        options={
            "calculate": False,
            "cellGap": 1,
            "color": {"mode": "scheme", "scheme": "Blues", "steps": 64, "exponent": 0.5, "fill": "dark-blue"},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "tooltip": {"mode": "single", "yHistogram": False},
            "yAxis": {"axisPlacement": "left", "unit": unit, "reverse": False},
        },
    )


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what its query gives for each row."""

    title: str
    expr: str
    unit: str


def table(title: str, description: str, key: str, *columns: Column) -> Panel:
    """A row for each value of the label `key`."""
    letters = [chr(ord("A") + index) for index in range(len(columns))]
    overrides = [
        {
            "matcher": {"id": "byName", "options": column.title},
            "properties": [{"id": "unit", "value": column.unit}],
        }
        for column in columns
    ]
    names = {f"Value #{letter}": column.title for letter, column in zip(letters, columns, strict=True)}
    return Panel(
        kind="table",
        title=title,
        description=description,
        unit="short",
        queries=[Query(column.expr) for column in columns],
        width=24,
        height=9,
        overrides=overrides,
        options={"showHeader": True, "cellHeight": "sm"},
        transformations=[
            {"id": "joinByField", "options": {"byField": key, "mode": "outer"}},
            {
                "id": "filterFieldsByName",
                "options": {"include": {"pattern": f"^({key}|Value.*)$"}},
            },
            {"id": "organize", "options": {"renameByName": names}},
        ],
    )


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice above the dashboard: the values of `label` in `metric`."""

    name: str
    label: str
    metric: str


_CHOICES = (
    Variable("namespace", "Namespace", "smshub_build_info"),
    Variable("job", "Job", "smshub_build_info"),
    Variable("instance", "Instance", "smshub_build_info"),
)


def dashboard(
    uid: str,
    title: str,
    description: str,
    rows: Mapping[str, Sequence[Panel]],
    *,
    variables: Sequence[Variable] = (),
) -> Json:
    """Panels go from left to right and begin a new line where one is full."""
    return {
        "id": None,
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["sms-hub"],
        "schemaVersion": _SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "links": [
            {
                "type": "dashboards",
                "title": "SMS Hub",
                "tags": ["sms-hub"],
                "asDropdown": True,
                "includeVars": True,
                "keepTime": True,
                "targetBlank": False,
                "icon": "external link",
                "tooltip": "",
                "url": "",
            }
        ],
        "templating": {"list": [_datasource_choice(), *map(_choice, (*_CHOICES, *variables))]},
        "panels": _laid_out(rows),
    }


def _laid_out(rows: Mapping[str, Sequence[Panel]]) -> list[Json]:
    placed: list[Json] = []
    y = 0
    for title, panels in rows.items():
        placed.append(
            {
                "id": len(placed) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "gridPos": {"x": 0, "y": y, "w": _COLUMNS, "h": 1},
                "panels": [],
            }
        )
        y += 1
        x = tallest = 0
        for panel in panels:
            if x + panel.width > _COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            placed.append(panel.json(len(placed) + 1, x, y))
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
    return placed


def _datasource_choice() -> Json:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "regex": "",
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "refresh": 1,
        "options": [],
    }


def _choice(variable: Variable) -> Json:
    query = f"label_values({variable.metric}, {variable.name})"
    return {
        "type": "query",
        "name": variable.name,
        "label": variable.label,
        "datasource": _DATASOURCE,
        "query": {"query": query, "refId": "Variable"},
        "regex": "",
        "hide": 0,
        "multi": True,
        "includeAll": True,
        # What has no such label at all, as outside of Kubernetes, is meant too.
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "refresh": 2,
        "sort": 1,
        "options": [],
    }
