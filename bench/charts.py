# SPDX-License-Identifier: MIT
"""Charts of the results, as SVG: horizontal bars that can be read at 360 and at 800 pixels, in light and in dark."""
import html
import math

WIDTH = 720  # of the drawing; it scales with the page
SIDE = 20  # of the card around it
LINE = 44  # height of a row: its label, and its bar under it
BAR = 14
COLOURS = {
    "light": {"card": "#ffffff", "edge": "#d0d7de", "text": "#1f2328", "soft": "#59636e", "win": "#2a6f97", "lose": "#c8553d"},
    "dark": {"card": "#161b22", "edge": "#3d444d", "text": "#e6edf3", "soft": "#9198a1", "win": "#5aa9d6", "lose": "#e8836b"},
}
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"


def style(theme):
    """The colours of a theme; of 'both' the reader's preference decides."""
    if theme == "both":
        return style("light") + "@media (prefers-color-scheme: dark) {" + style("dark") + "}"
    c = COLOURS[theme]
    return (
        f".card {{ fill: {c['card']}; stroke: {c['edge']} }} .grid {{ stroke: {c['edge']} }} .even {{ stroke: {c['soft']} }}"
        f" text {{ fill: {c['text']}; font-family: {FONT} }} .soft {{ fill: {c['soft']} }}"
        f" .win {{ fill: {c['win']} }} .lose {{ fill: {c['lose']} }} .bare {{ fill: {c['card']}; stroke: {c['text']}; stroke-width: 1.5 }}"
        f" text {{ paint-order: stroke; stroke: {c['card']}; stroke-width: 4px; stroke-linejoin: round }}"
    )


def text(x, y, size, words, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{more}>{html.escape(words)}</text>'


def svg(height, theme, title, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">\n'
        f"<title>{html.escape(title)}</title>\n<style>{style(theme)}</style>\n"
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


class Scale:
    """From a ratio to a place: powers of two, with room for the words at the ends of the bars."""

    def __init__(self, values, left, right):
        self.low = min(-1, math.floor(math.log2(min(values))))
        self.high = max(2, math.ceil(math.log2(max(values))))
        self.left, self.step = left, (right - left) / (self.high - self.low)

    def at(self, value):
        return self.left + (math.log2(value) - self.low) * self.step

    def grid(self, top, bottom):
        for power in range(self.low, self.high + 1):
            x, kind = self.at(2.0**power), "even" if power == 0 else "grid"
            yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
            yield text(x, bottom + 16, 12, f"{2.0**power:g} ×", ' class="soft" text-anchor="middle"')


def group(title, rows):
    """A chart of rows: (label, name of the best peer or None, its ratio, ratio of the best bare loop or None)."""
    values = [v for _, _, peer, bare in rows for v in (peer, bare) if v] + [1.0]
    scale = Scale(values, SIDE + 22, WIDTH - SIDE - 190)
    top = 58
    bottom = top + LINE * len(rows)
    parts = [text(SIDE, 28, 16, title, ' font-weight="600"')]
    parts += [text(SIDE, 47, 13, "The best of the others takes so many times as long; ◦ is a bare loop of system calls", ' class="soft"')]
    parts += scale.grid(top, bottom)
    for index, (label, peer_name, peer, bare) in enumerate(rows):
        y = top + LINE * index
        parts.append(text(SIDE, y + 16, 13, label))
        end = scale.at(1.0)
        if peer:
            begin, end = sorted((scale.at(1.0), scale.at(peer)))
            kind = "win" if peer >= 1 else "lose"
            parts.append(f'<rect class="{kind}" x="{begin:.1f}" y="{y + 22}" width="{max(end - begin, 1):.1f}" height="{BAR}"/>')
        if bare:
            parts.append(f'<circle class="bare" cx="{scale.at(bare):.1f}" cy="{y + 22 + BAR / 2}" r="4.5"/>')
        words = f"{peer:.2f} × {peer_name}" if peer else f"{bare:.2f} × a bare loop"
        parts.append(text(max(end, scale.at(bare or 1.0) + 5) + 8, y + 34, 13, words, ' font-weight="600"'))
    return svg(bottom + 28, "both", title, parts)


def headline(title, note, rows, theme):
    """The chart at the top of the README, of rows (label, the other program, its ratio, its seconds, ours)."""
    most = max(ratio for _, _, ratio, _, _ in rows)
    scale = (WIDTH - 2 * SIDE - 210) / most
    parts = [text(SIDE, 32, 19, title, ' font-weight="600"'), text(SIDE, 54, 14, note, ' class="soft"')]
    for index, (label, other, ratio, theirs, ours) in enumerate(rows):
        y = 68 + 54 * index
        parts.append(
            f'<text x="{SIDE}" y="{y + 18}" font-size="16">{html.escape(label)} <tspan class="soft">against {html.escape(other)}</tspan></text>'
        )
        kind = "win" if ratio >= 1 else "lose"
        parts.append(f'<rect class="{kind}" x="{SIDE}" y="{y + 25}" width="{ratio * scale:.1f}" height="18" rx="2"/>')
        parts.append(
            f'<text x="{SIDE + ratio * scale + 10:.1f}" y="{y + 40}" font-size="16" font-weight="600">{ratio:.1f} ×'
            f' <tspan class="soft" font-size="14" font-weight="400">{theirs:.2f} s, leat {ours:.2f} s</tspan></text>'
        )
    bottom = 68 + 54 * len(rows)
    x = SIDE + scale
    parts.insert(2, f'<line class="even" x1="{x:.1f}" x2="{x:.1f}" y1="64" y2="{bottom}" stroke-dasharray="4 3"/>')
    parts.append(text(x, bottom + 18, 14, "1 ×: as long as leat", ' class="soft" text-anchor="middle"'))
    return svg(bottom + 32, theme, title, parts)
