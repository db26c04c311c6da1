"""A line chart as SVG, written by hand: threads over requests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 900, 460
LEFT, RIGHT, TOP, BOTTOM = 92, 206, 74, 62
INK, FAINT, GRID = "#1f2933", "#616e7c", "#e4e7eb"
NAMESPACE = "http://www.w3.org/2000/svg"
FONT = "font-family=\"system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif\""


@dataclass(frozen=True)
class Series:
    """A line of the chart."""

    title: str
    note: str
    colour: str
    points: list[tuple[int, int]]


def line_chart(title: str, subtitle: str, x_title: str, y_title: str, series: list[Series]) -> str:
    """Draw the series over common axes that begin at zero."""
    x_ticks = ticks(max(x for line in series for x, _ in line.points))
    y_ticks = ticks(max(y for line in series for _, y in line.points))
    plot_width, plot_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x_of(value: float) -> float:
        return LEFT + plot_width * value / x_ticks[-1]

    def y_of(value: float) -> float:
        return TOP + plot_height * (1 - value / y_ticks[-1])

    parts = [
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" {FONT}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        text(LEFT, 32, title, size=18, weight=600),
        text(LEFT, 53, subtitle, colour=FAINT),
    ]
    for value in y_ticks:
        parts.append(rule(LEFT, y_of(value), LEFT + plot_width, y_of(value)))
        parts.append(text(LEFT - 10, y_of(value) + 4, f"{value:,}", anchor="end", colour=FAINT))
    for value in x_ticks:
        parts.append(rule(x_of(value), TOP + plot_height, x_of(value), TOP + plot_height + 5, INK))
        below = TOP + plot_height + 21
        parts.append(text(x_of(value), below, f"{value:,}", anchor="middle", colour=FAINT))
    parts += [
        rule(LEFT, TOP + plot_height, LEFT + plot_width, TOP + plot_height, INK),
        text(LEFT + plot_width / 2, HEIGHT - 16, x_title, anchor="middle"),
        f'<g transform="translate(24 {TOP + plot_height / 2}) rotate(-90)">',
        text(0, 0, y_title, anchor="middle"),
        "</g>",
    ]
    labels = label_heights([y_of(line.points[-1][1]) for line in series])
    for line, label in zip(series, labels, strict=True):
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line.points)
        end_x, end_y = x_of(line.points[-1][0]), y_of(line.points[-1][1])
        parts += [
            f'<polyline points="{path}" fill="none" stroke="{line.colour}" stroke-width="2.5"/>',
            f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="4" fill="{line.colour}"/>',
            text(end_x + 12, label, line.title, weight=600, colour=line.colour),
            text(end_x + 12, label + 16, line.note, colour=line.colour),
        ]
    return "\n".join([*parts, "</svg>", ""])


def ticks(largest: int) -> list[int]:
    """Give about five round numbers from zero to just over the largest value."""
    rough = max(largest, 1) / 5
    magnitude = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = next(magnitude * factor for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= rough)
    step = max(1, math.ceil(step))
    return [step * count for count in range(math.ceil(max(largest, 1) / step) + 1)]


def label_heights(ends: list[float]) -> list[float]:
    """Keep the labels at the lines' ends apart from each other and above the axis."""
    heights = [0.0] * len(ends)
    floor = HEIGHT - BOTTOM - 14.0
    for index in sorted(range(len(ends)), key=lambda item: -ends[item]):
        heights[index] = floor = min(ends[index], floor)
        floor -= 40
    return heights


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: int = 13,
    weight: int = 400,
    anchor: str = "start",
    colour: str = INK,
) -> str:
    """Write a line of text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{colour}">{escape(content)}</text>'
    )


def rule(x1: float, y1: float, x2: float, y2: float, colour: str = GRID) -> str:
    """Draw a thin line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="1"/>'
    )
