# SPDX-License-Identifier: MIT
"""What the results look like on a terminal: tables, and the verdict on the goals."""

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
