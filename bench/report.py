# SPDX-License-Identifier: MIT
"""What the results look like: tables, the verdict on the goals, docs/performance.md with its picture."""
import json
import re
import shutil
import subprocess

ROLES = {"ours": "ours", "forced": "ours, as told", "peer": "peer", "bare": "bare loop", "part": "a part", "again": "noise"}


def ratio(s):
    return f"{s['median']:.2f} ({s['low']:.2f}–{s['high']:.2f})"


def mib(size):
    return f"{size / 2**20:.1f} MiB"


def size_name(size):
    for shift, letter in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 1 << shift and size % (1 << shift) == 0:
            return f"{size >> shift} {letter}"
    return f"{size} bytes"


def grid(header, lines):
    """Columns as wide as they need to be; numbers to the right."""
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths)))
        for line in [header, *lines]
    )


HEADER = ["command", "kind", "ms", "GB/s", "time / ours", "CPU s/GB", "peak"]


def cells(c):
    speed = "" if c["role"] == "ours" else ratio(c["speed"])
    if c["role"] == "again":
        speed = f"/ itself {ratio(c['itself'])}"
    return [
        c["command"],
        ROLES[c["role"]],
        f"{c['ms']:.2f}" if c["ms"] < 10 else f"{c['ms']:.0f}",
        f"{c['gb_per_s']:.2f}",
        speed,
        f"{c['cpu_s_per_gb']:.3f}",
        mib(c["peak"]),
    ]


def goal_text(goal):
    kind, bound = goal["kind"], goal["bound"]
    if kind == "memory":
        return f"peak memory {mib(goal['value'])}, wanted < {mib(bound)}"
    if kind == "rate":
        millions = {key: value / 1e6 for key, value in goal["spread"].items()}
        return f"{ratio(millions)} million {goal['against']} a second, wanted ≥ {bound / 1e6:g}"
    what = {"speed": "× the speed of", "time": "× the time of", "cpu": "× the CPU seconds of"}[kind]
    sign = "≥" if kind == "speed" else "≤"
    noise = f" or within the noise ({goal['noise']:.2f})" if "noise" in goal and goal["spread"]["median"] < bound else ""
    return f"{ratio(goal['spread'])} {what} {goal['against']}, wanted {sign} {bound:g}{noise}"


def mark(goal):
    return "pass" if goal["met"] else "short"


def table(row):
    text = f"== {row['name']}: {row['title']}\n"
    if row["contenders"]:
        text += grid(HEADER, [cells(c) for c in row["contenders"]]) + "\n"
    for left in row["left_out"]:
        text += f"left out: {left['command']}: {left['why']}\n"
    if "skipped" in row:
        text += f"not measured: {row['skipped']}\n"
    for goal in row["goals"]:
        text += f"{mark(goal)}: {goal_text(goal)}\n"
    return text


def verdict(results):
    goals = [(row, goal) for row in results["rows"] for goal in row["goals"]]
    short = [f"short: {row['name']}: {goal_text(goal)}" for row, goal in goals if not goal["met"]]
    return "\n".join([*short, f"{len(goals) - len(short)} of {len(goals)} goals are met"])


def listing(rows):
    lines = []
    for row in rows:
        title = row.title.format(fs=row.place, size="some size")
        lines.append(f"{row.name}: {title}")
        lines += [f"    {c.command}" for c in row.contenders]
        lines += [f"    wanted: {goal.kind} {goal.bound:g}, {goal.called}" for goal in row.goals]
    return "\n".join(lines)


# ---- docs ----


def compact(results):
    """JSON with a list of numbers on one line."""
    text = json.dumps(json.loads(json.dumps(results), parse_float=lambda t: round(float(t), 6)), indent=1, ensure_ascii=False)
    return re.sub(r"\[\s+([-+.\deE,\s]+?)\s+\]", lambda m: "[" + " ".join(m[1].split()) + "]", text) + "\n"


METHOD = """# Performance

How fast `leat` is beside the tools that people use for the same work, and beside bare loops of the same system calls,
which do nothing else (`loops`, [bench/loops.c](../bench/loops.c)): a program that uses that call can't be faster.
This file is written by `scripts/bench --docs`; the numbers behind it are in [performance.json](performance.json).

![how much time others take for each row]({picture})

## How it is measured

- In each of {rounds} rounds every command of a row runs once. The order differs from round to round, so no command
  always follows the same other one. The files have {size} of random bytes, unless the row says another size, and are in
  the page cache.
- The time begins just before the process is started and ends when it has been waited for. Only fio reports its own time,
  which leaves its start-up out. CPU seconds and peak memory are the kernel's numbers for the process and its children.
  Between pipes, the processes that fill and empty the pipes do not count.
- *time / ours* is the other command's time divided by ours in the same round: the median over the rounds, and the middle
  half of these ratios in parentheses. Above 1, leat is faster. Our command and the first peer run twice in each round.
  *noise* is the second time divided by the first: a smaller difference means nothing.
- Before each run, outside the measured time, a new target is deleted and an existing one is synced. The harness also uses
  as much memory as the target needs once, so that a virtual machine does not get it from its host during a measurement.
- `leat copy` publishes: it writes a file without a name and names it at the end, also in place of an existing file. cp,
  cat and dd empty an existing file first. Rows *in-place* write over the bytes that are there. A trial before the rounds
  compares every target with its source.
- Rows *threads/* are pipes inside one process ([bench/pipes.c](../bench/pipes.c)). Both sides touch every byte, and each
  pipe or ring holds 1 MiB.
- *CPU s/GB* is user and system time for 10⁹ bytes. *ours, as told* is leat with a route or a way of writing that it does
  not choose by itself. *The best route and engine* is the fastest of these. leat may be slower than it by a tenth, or where
  these ratios and the noise of the row overlap.

To repeat: `scripts/bench`, or `scripts/bench --quick ROW...`; `scripts/bench --list` names the rows, and
`scripts/bench --update ROW...` measures some anew for this file.

## Where

"""


def where(results):
    m = results["machine"]
    places = ", ".join(f"{fs} ({name})" for name, fs in m["file_systems"].items())
    lines = [
        f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB of memory",
        m["kernel"],
        f"file systems: {places}",
        "; ".join(results["versions"].values()),
        "measured on " + ", ".join(sorted({row.get("date", results["date"]) for row in results["rows"]})),
    ]
    return "\n".join(f"- {line}" for line in lines) + "\n"


def table_line(line):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n"


def goals_table(results):
    text = "\n## What was to be reached\n\n| row | | |\n|---|---|---|\n"
    for row in results["rows"]:
        for goal in row["goals"]:
            text += table_line([row["name"], goal_text(goal), mark(goal)])
    return text


def row_section(row):
    note = f" {row['note']}" if row.get("note") else ""
    text = f"\n### {row['name']}\n\n{row['title'][0].upper() + row['title'][1:]}.{note}\n\n"
    if row["contenders"]:
        text += table_line(HEADER) + "|---|---|--:|--:|--:|--:|--:|\n"
        for c in row["contenders"]:
            line = cells(c)
            text += table_line([f"`{line[0]}`", *line[1:]])
    for left in row["left_out"]:
        text += f"\nLeft out: `{left['command']}`: {left['why']}\n"
    if "skipped" in row:
        text += f"Not measured: {row['skipped']}\n"
    return text


def best(row, role):
    """The fastest of this role; None without one."""
    return min((c for c in row["contenders"] if c["role"] == role), key=lambda c: c["speed"]["median"], default=None)


def plot_data(results):
    """A line for each row: its name, then median, low and high of the best peer and of the best bare loop."""
    text = ""
    for row in results["rows"]:
        numbers = []
        for role in ("peer", "bare"):
            c = best(row, role)
            numbers += [f"{c['speed'][key]:.4f}" for key in ("median", "low", "high")] if c else ["NaN"] * 3
        if any(n != "NaN" for n in numbers):
            text += f'"{row["name"]}" ' + " ".join(numbers) + "\n"
    return text


PLOT = """set terminal svg size 1000,560 font "sans-serif,13" background "white"
set output "{picture}"
set title "Time of the best other / time of leat (above 1: leat is faster)"
set style data histograms
set style histogram errorbars gap 1.5 linewidth 1.2
set style fill solid 0.85 border -1
set boxwidth 0.9
set logscale y 2
set yrange [0.25:]
set grid y
set key top left
set xtics rotate by -40 noenhanced
set rmargin 12
set arrow from graph 0, first 1 to graph 1, first 1 nohead linewidth 1.5 dashtype 2 front
plot "{data}" using 2:3:4:xtic(1) title "best peer" linecolor rgb "#4878a8", \\
     "" using 5:6:7 title "best bare loop" linecolor rgb "#d8a050"
"""


def draw(results, picture):
    data = picture.with_suffix(".dat")
    data.write_text(plot_data(results))
    try:
        subprocess.run(["gnuplot"], input=PLOT.format(picture=picture, data=data), text=True, check=True)
    finally:
        data.unlink()


def rounds(results):
    counts = sorted({row["rounds"] for row in results["rows"]})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def write_docs(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / "performance.svg"
    if shutil.which("gnuplot"):
        draw(results, picture)
    text = METHOD.format(picture=picture.name, rounds=rounds(results), size=size_name(results["bytes"]))
    text += where(results) + goals_table(results) + "\n## Row by row\n"
    text += "".join(row_section(row) for row in results["rows"])
    (folder / "performance.md").write_text(text)
    (folder / "performance.json").write_text(compact(results))
