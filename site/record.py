# SPDX-License-Identifier: MIT
"""record.py LEAT FILE: runs the commands below and draws what a terminal shows, as an SVG that plays once.

The commands are real, and so is what they print; only the pace is made up. The picture ends with all lines visible, and
shows them at once to a reader who does not want motion.
"""
import html
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import textwrap

COMMANDS = [
    "leat copy --digest sha256 image.iso copy.iso",
    "leat copy --expect sha256:$published image.iso /srv/image.iso",
    "echo $?",
    "leat copy image.iso one.iso two.iso /dev/full",
    "leat run 'image.iso | digest:sha256 | zstd:level=3 | image.zst'",
    "leat digest *.iso | cut -c -16,65-",
]
COLUMNS, SIZE, LINE, MARGIN = 78, 14, 21, 16
WIDTH = round(COLUMNS * SIZE * 0.602) + 2 * MARGIN
TYPING, PAUSE = 0.03, 0.5  # seconds for a character, and before a command


def prepare(folder, leat):
    (folder / "bin").mkdir()
    (folder / "srv").mkdir()
    (folder / "bin/leat").symlink_to(os.path.abspath(leat))
    (folder / "image.iso").write_bytes(random.Random(17).randbytes(20_000_000))


def run(leat):
    """The commands, each with the lines that it prints."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(folder, leat)
        env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "LC_ALL": "C", "published": "0" * 64}
        status = 0
        for command in COMMANDS:
            script = f"(exit {status}); {command.replace('/srv/', 'srv/')}"
            done = subprocess.run(["bash", "-c", script], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            status = done.returncode
            yield command, done.stdout.replace("srv/", "/srv/").splitlines()


def wrapped(line):
    """As a terminal breaks it."""
    return textwrap.wrap(line, COLUMNS, break_on_hyphens=False) or [""]


def draw(session):
    lines, now = [], 0.4
    for command, printed in session:
        lines.append((now, "$ " + command, "typed"))
        now += TYPING * len(command) + 0.3
        for line in printed:
            lines += [(now, part, "wrong" if line.startswith("leat: ") else "") for part in wrapped(line)]
        now += PAUSE + 0.35 * len(printed)
    height = 44 + LINE * len(lines) + MARGIN
    drawn = []
    for number, (begin, line, kind) in enumerate(lines):
        y = 52 + LINE * number
        inner = html.escape(line)
        if kind == "typed":
            inner = f'<tspan class="prompt">$</tspan>{html.escape(line[1:])}'
        drawn.append(f'<text class="{kind}" x="{MARGIN}" y="{y}" xml:space="preserve" style="animation-delay: {begin:.2f}s">{inner}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">\n'
        "<title>leat in a terminal</title>\n"
        "<style>\n"
        f"text {{ font: {SIZE}px ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', Menlo, monospace; fill: #e6edf3; animation: show 0.01s both }}\n"
        ".prompt { fill: #5aa9d6 } .typed { font-weight: 600 } .wrong { fill: #f0a58c }\n"
        "@keyframes show { from { opacity: 0 } to { opacity: 1 } }\n"
        "@media (prefers-reduced-motion: reduce) { text { animation: none } }\n"
        "</style>\n"
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#161b22"/>\n'
        '<circle cx="20" cy="18" r="5" fill="#59636e"/><circle cx="38" cy="18" r="5" fill="#59636e"/><circle cx="56" cy="18" r="5" fill="#59636e"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def main():
    leat, target = sys.argv[1:]
    pathlib.Path(target).write_text(draw(run(leat)))


if __name__ == "__main__":
    main()
