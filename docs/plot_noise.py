"""Draws `noise.svg` from `noise.csv`, which `ting bench noise --csv docs/noise.csv` writes: `python3 docs/plot_noise.py`."""

import csv
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
WIDTH, HEIGHT = 760, 320
TOP, BOTTOM = 50, 60
BLUE, ORANGE, GREY = "#1f5fa8", "#c25a00", "#888"


def nice_top(most):
    """The smallest of 1, 2, 5 times a power of ten that is not below `most`."""
    step = 10.0 ** -6
    while True:
        for factor in (1, 2, 5):
            if step * factor >= most:
                return step * factor
        step *= 10


def panel(left, width, title, thresholds, curves, unit):
    """One chart: axes, and a line with dots for each of `curves` (name, colour, values)."""
    top = nice_top(max(max(values) for _, _, values in curves) or 1)
    x = [left + width * i / (len(thresholds) - 1) for i in range(len(thresholds))]
    bottom = HEIGHT - BOTTOM

    def y(value):
        return bottom - (bottom - TOP) * value / top

    parts = [f'<text x="{left}" y="{TOP - 28}" font-weight="bold">{title}</text>']
    for i in range(5):
        value = top * i / 4
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}{unit}</text>')
    for place, threshold in zip(x, thresholds):
        parts.append(f'<text x="{place:.1f}" y="{bottom + 18}" text-anchor="middle">{float(threshold):+g}</text>')
    parts.append(f'<text x="{left + width / 2}" y="{bottom + 38}" text-anchor="middle" fill="{GREY}">speech_noise_threshold</text>')
    for i, (name, colour, values) in enumerate(curves):
        points = " ".join(f"{place:.1f},{y(value):.1f}" for place, value in zip(x, values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{place:.1f}" cy="{y(value):.1f}" r="3.5" fill="{colour}"/>' for place, value in zip(x, values)]
        if name:
            parts.append(f'<text x="{left + 8}" y="{TOP - 10 + 16 * i}" fill="{colour}">{name}</text>')
    return parts


def main():
    with open(HERE / "noise.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    thresholds = [row["threshold"] for row in rows]
    values = {key: [float(row[key]) for row in rows] for key in rows[0]}
    percent = {key: [100 * share for share in values[key]] for key in ("missed", "missed_noisy")}
    curves = [("with noise 10 dB below", ORANGE, percent["missed_noisy"]), ("clean", BLUE, percent["missed"])]
    parts = panel(70, 270, "Noise taken for speech, s per hour", thresholds, [("", BLUE, values["alarm_seconds_per_hour"])], "")
    parts += panel(455, 270, "Speech missed", thresholds, curves, " %")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
    body = "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *parts, "</svg>"])
    (HERE / "noise.svg").write_text(body + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
