"""Draws `learning_curve.svg` from `learning_curve.tsv`, which `training/evaluate.py --curve` writes: `python3 docs/plot_curve.py`."""

import csv
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
WIDTH, HEIGHT = 760, 340
TOP, BOTTOM, PANEL, TALLEST = 40, 60, 270, 120
COLOURS = ("#1f5fa8", "#5b9bd5", "#c25a00", "#e39b4a", "#8a3ffc", "#2e7d32")
PANELS = (
    (70, "People", ("zh-read", "zh-read2", "en-read", "en-read2", "en-words", "ja-words")),
    (455, "Synthesizers", ("synth-zh", "synth-en", "synth-ja")),
)


def panel(left, title, names, rows):
    """One chart of percent of errors over hours heard; what is above `TALLEST` is drawn at the top."""
    bottom, hours = HEIGHT - BOTTOM, [float(row["hours heard"]) for row in rows]
    first, most = min(hours), max(hours)
    x = lambda value: left + PANEL * (value - first) / (most - first)
    y = lambda value: bottom - (bottom - TOP) * min(value, TALLEST) / TALLEST
    parts = [f'<text x="{left}" y="{TOP - 18}" font-weight="bold">{title}, percent of errors</text>']
    for value in range(0, TALLEST + 1, 20):
        parts.append(f'<line x1="{left}" x2="{left + PANEL}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>')
    for i in range(5):
        value = first + (most - first) * i / 4
        parts.append(f'<text x="{x(value):.1f}" y="{bottom + 18}" text-anchor="middle">{value:.0f}</text>')
    parts.append(f'<text x="{left + PANEL / 2}" y="{bottom + 36}" text-anchor="middle" fill="#888">hours heard in all</text>')
    for i, name in enumerate(names):
        colour, values = COLOURS[i], [float(row[name]) for row in rows]
        points = " ".join(f"{x(h):.1f},{y(v):.1f}" for h, v in zip(hours, values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{left + 90 * (i % 3)}" y="{HEIGHT - 12 + 14 * (i // 3) - 2}" fill="{colour}">{name}</text>')
    return parts


def main():
    with open(HERE / "learning_curve.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    parts = [part for left, title, names in PANELS for part in panel(left, title, names, rows)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 12}" font-family="sans-serif" font-size="12">'
    body = "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT + 12}" fill="white"/>', *parts, "</svg>"])
    (HERE / "learning_curve.svg").write_text(body + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
