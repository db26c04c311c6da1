"""A bar chart as SVG."""

from __future__ import annotations

from html import escape

WIDTH, LEFT, RIGHT, TOP, STEP = 900, 330, 110, 74, 30
INK, FAINT, OURS, OTHERS = "#1f2933", "#616e7c", "#c2410c", "#9aa5b1"


def bars(title: str, subtitle: str, values: list[tuple[str, float, bool]]) -> str:
    """Draw a bar for each name with its value; those that are marked have a colour of their own."""
    height = TOP + STEP * len(values) + 20
    longest = max((value for _, value, _ in values), default=1.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        '<g font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="20" y="32" font-size="18" font-weight="600" fill="{INK}">{escape(title)}</text>',
        f'<text x="20" y="53" fill="{FAINT}">{escape(subtitle)}</text>',
    ]
    for place, (name, value, marked) in enumerate(values):
        y = TOP + STEP * place
        width = (WIDTH - LEFT - RIGHT) * value / longest
        colour = OURS if marked else OTHERS
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 15}" text-anchor="end" fill="{INK}">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{max(width, 1):.1f}" height="20" fill="{colour}"/>',
            f'<text x="{LEFT + width + 8:.1f}" y="{y + 15}" fill="{INK}">{value:,.0f}</text>',
        ]
    return "\n".join([*parts, "</g>", "</svg>", ""])
