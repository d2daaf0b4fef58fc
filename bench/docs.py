# SPDX-License-Identifier: MIT
"""docs/performance.md, performance.json and the charts in docs/charts, from results that were measured before."""
import json
import re
import textwrap

import charts
from report import HEADER, cells, goal_text, mark, size_name

BELOW = 0.95  # a smaller ratio than this is a loss, a larger one than its inverse a gain

# The five bars at the top of the README: row, beginning of the other command, and how both are called.
HEADLINE = [
    ("copy-sha256/disk", "cp source target && sha256sum", "Copy a file, with its SHA-256", "cp, then sha256sum"),
    ("socket-to-file/tcp/disk", "peer feed", "Receive a file over TCP", "socat"),
    ("http-sha256", "curl", "Download a file, with its SHA-256", "curl | tee | sha256sum"),
    ("buffer/mbuffer", "mbuffer", "A buffer between two pipes", "mbuffer"),
    ("file-to-file/disk/fresh", "cp source target", "Only copy a file", "cp"),
]

# The charts: file, title, and how the names of its rows begin.
GROUPS = [
    ("files", "Files", ("file-to-file/", "file-to-null", "small-file/", "streams/")),
    ("pipes", "Pipes between programs", ("file-to-pipe", "pipe-to-pipe/", "pipe-to-null", "pipe-to-file/", "buffer/", "fan-out/")),
    ("digests", "Digests", ("copy-sha256/", "digest/")),
    ("sockets", "Sockets", ("file-to-socket/", "socket-to-", "pipe-to-socket/", "file-tcp-file/")),
    ("devices", "Disks and devices", ("device-", "zeros-", "random-", "cold-read", "direct-copy/")),
    ("trees", "Trees", ("tree/",)),
    ("stores", "Stores and registries", ("http-", "s3-", "image-", "small-objects")),
    ("streams", "Stream buffers", ("take-", "miss", "redis-")),
    ("threads", "Pipes between threads", ("threads/",)),
    ("channels", "Messages between processes", ("channels/",)),
    ("stages", "Worker threads", ("stages/",)),
]

# What is told of a group at the top, if all of its rows are there: {ROW} is the ratio to the best peer.
WINS = [
    "**A copy with a digest**: {copy-sha256/disk:cp} times as fast as `cp`, then `sha256sum`. leat reads the file once, hashes and writes"
    " on two threads, and uses libcrypto's code for the processor. It takes less time than `openssl dgst` alone ({copy-sha256/disk}).",
    "**Pipes**: {pipe-to-pipe/null} times as fast as the best of cat, pv and dd where nobody looks at the bytes, {pipe-to-pipe/sum} times"
    " where the reader looks at each. leat makes the pipes larger, and moves pages where that is the fastest.",
    "**A buffer in a pipeline**: {buffer/mbuffer} times as fast as `mbuffer`.",
    "**Sockets**: {file-to-socket/unix} times as fast as `socat` from a file to a Unix socket, {socket-to-file/tcp/disk} times from TCP to a"
    " file. sendfile and splice copy the bytes once or not at all.",
    "**Several sinks**: {fan-out/pipes} times as fast as `tee` to three pipes, which get the same pages.",
    "**Stores**: {s3-get} times as fast as the best of rclone and aws for an object of S3, {http-sha256} times as fast as"
    " `curl | tee | sha256sum`. Several connections read one object if that pays.",
    "**Inside a program**: {threads/queue} times as fast as a pipe of the kernel between two threads, {channels/small} times as fast as"
    " Boost's queue between two processes, {channels/python-small} times as fast as a pipe of Python's multiprocessing.",
]

# Why leat is slower where it is.
LOSSES = {
    "file-to-file/disk/replace": "leat writes a new file beside the old one and renames it, so the old file stays whole until the end."
    " The others empty the old file and write into it. With `--in-place` leat writes into the old file, too.",
    "file-to-file/memory/fresh": "The difference is little more than the noise of this row.",
    "small-file/disk": "Most of it is the start of a process. leat also looks at both ends and publishes, which cp does not.",
    "small-file/memory": "Most of it is the start of a process. leat also looks at both ends and publishes, which cp does not.",
    "stages/ordered": "oneTBB hands items over in order at less cost. Without order leat is faster.",
    "cold-read": "Several requests in flight gain nothing on this disk: fio with eight of them is no faster than leat.",
    "direct-copy/disk": "Reading and writing at the same time gain nothing on this disk; from one disk to another leat is faster.",
}

INTRODUCTION = """# Performance

How fast `leat` is beside the tools that people use for the same work, and beside bare loops of the same system calls,
which do nothing else (`loops`, [bench/loops.c](../bench/loops.c)): a program that uses that call can't be faster.
This file is written by `scripts/bench --docs`; the numbers behind it are in [performance.json](performance.json).

## In short

*N* times as fast means: the other program takes *N* times as long. The numbers are medians, always against the **best** of the
other programs unless one is named.

"""

METHOD = """
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


def compact(results):
    """JSON with a list of numbers on one line."""
    text = json.dumps(json.loads(json.dumps(results), parse_float=lambda t: round(float(t), 6)), indent=1, ensure_ascii=False)
    return re.sub(r"\[\s+([-+.\deE,\s]+?)\s+\]", lambda m: "[" + " ".join(m[1].split()) + "]", text) + "\n"


# ---- numbers of a row ----


def best(row, role):
    """The fastest of this role; None without one."""
    return min((c for c in row["contenders"] if c["role"] == role), key=lambda c: c["speed"]["median"], default=None)


def best_ratio(row, role):
    found = best(row, role)
    return found["speed"]["median"] if found else None


def short_name(command):
    """The program that a command is about, behind the harness's own words, servers and shells."""
    known = r"(openssl|sha256sum|b2sum|socat|nc|mbuffer|redis-server|rclone|skopeo|curl|aws|zstd|tbb|boost|pv|dd|tee|cat|cp|head|fio|seqpacket)"
    if "_python.py" in command:
        return "Python's " + ("queue" if "queue" in command else "pipe")
    if command.startswith("cp ") and "&&" in command:
        return "cp && sha256sum"
    if command.startswith("curl") and "sha256sum" in command:
        return "curl | tee | sha256sum"
    names = {"tbb": "oneTBB", "boost": "Boost", "redis-server": "Redis", "seqpacket": "a socket"}
    found = re.search(rf"(?<![\w-]){known}(?![\w-])", command)
    others = {"streams": "threads", "lines": "getdelim", "pipes": "a kernel pipe"}
    return names.get(found[1], found[1]) if found else others.get(command.split()[0], command.split()[0])


# ---- parts of the page ----


def table_line(line):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n"


def point(text):
    """A point of a list, in lines as long as those of other pages."""
    return textwrap.fill("- " + text, 125, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False) + "\n"


def folded(title, text):
    """What a browser shows after a click."""
    return f"<details>\n<summary>{title}</summary>\n\n{text}\n</details>\n"


def fill(sentence, rows):
    """The sentence with its ratios; None if a row lacks. {ROW:PROGRAM} is the ratio to that program."""
    missing = []

    def ratio(match):
        name, _, program = match[1].partition(":")
        row = rows.get(name)
        peers = [c for c in row["contenders"] if c["role"] == "peer"] if row else []
        if program:
            peers = [c for c in peers if c["command"].split()[0] == program]
        if not peers:
            missing.append(name)
            return ""
        return f"{min(c['speed']['median'] for c in peers):.1f}"

    text = re.sub(r"\{([^}]+)\}", ratio, sentence)
    return None if missing else text


def summary(results):
    rows = {row["name"]: row for row in results["rows"]}
    told = [text for sentence in WINS if (text := fill(sentence, rows))]
    text = "leat is faster:\n\n" + "".join(point(sentence) for sentence in told)
    ratios = [(row, r) for row in results["rows"] if (r := best_ratio(row, "peer"))]
    even = [row["name"] for row, r in ratios if BELOW <= r <= 1 / BELOW]
    if even:
        text += "\nNo difference that matters: " + ", ".join(f"*{name}*" for name in even) + ".\n"
    lost = sorted(((r, row) for row, r in ratios if r < BELOW), key=lambda pair: pair[0])
    if lost:
        text += "\nleat is slower:\n\n"
        for r, row in lost:
            peer = short_name(best(row, "peer")["command"])
            why = LOSSES.get(row["name"])
            title = row["title"][0].upper() + row["title"][1:]
            text += point(f"**{title}**: {r:.2f} times as fast as {peer}." + (f" {why}" if why else ""))
    short = sum(not goal["met"] for row in results["rows"] for goal in row["goals"])
    total = sum(len(row["goals"]) for row in results["rows"])
    return text + f"\n{total - short} of {total} goals that were set beforehand are met; [the table](#what-was-to-be-reached) has all.\n"


def row_section(row):
    note = f" {row['note']}" if row.get("note") else ""
    text = f"#### {row['name']}\n\n{row['title'][0].upper() + row['title'][1:]}.{note}\n\n"
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


def grouped(results):
    """(file, title, rows) for each group, and last one for rows that belong to none."""
    left = list(results["rows"])
    for file, title, begins in GROUPS:
        rows = [row for row in left if row["name"].startswith(begins)]
        left = [row for row in left if row not in rows]
        if rows:
            yield file, title, rows
    if left:
        yield "others", "Others", left


def chart_row(row):
    """What a chart shows of a row; None if it has nothing to compare with."""
    peer, bare = best(row, "peer"), best_ratio(row, "bare")
    if not peer and not bare:
        return None
    title = row["title"][0].upper() + row["title"][1:]
    return (title, peer and short_name(peer["command"]), peer and peer["speed"]["median"], bare)


def sections(results, folder):
    text = ""
    for file, title, rows in grouped(results):
        text += f"\n## {title}\n\n"
        shown = [drawn for row in rows if (drawn := chart_row(row))]
        if shown:
            (folder / "charts" / f"{file}.svg").write_text(charts.group(title, shown))
            text += f"![{title}: how many times as long as leat the best of the others takes](charts/{file}.svg)\n\n"
        text += folded(f"{len(rows)} rows with all commands", "\n".join(row_section(row) for row in rows))
    return text


def goals(results):
    text = "| row | | |\n|---|---|---|\n"
    for row in results["rows"]:
        for goal in row["goals"]:
            text += table_line([row["name"], goal_text(goal), mark(goal)])
    return "\n## What was to be reached\n\n" + folded("All goals", text)


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


def rounds(results):
    counts = sorted({row["rounds"] for row in results["rows"]})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def draw_headline(results, folder):
    """The README's chart, once for each theme."""
    rows, drawn = {row["name"]: row for row in results["rows"]}, []
    for name, begins, label, other in HEADLINE:
        contenders = rows.get(name, {"contenders": []})["contenders"]
        theirs = [c for c in contenders if c["role"] == "peer" and c["command"].startswith(begins)]
        if theirs:
            peer = min(theirs, key=lambda c: c["speed"]["median"])
            drawn.append((label, other, peer["speed"]["median"], peer["ms"] / 1e3, contenders[0]["ms"] / 1e3))
    if not drawn:
        return
    m = results["machine"]
    note = f"{size_name(results['bytes'])} to 2 GiB, {m['cpu']} with {m['cores']} cores, medians"
    for theme, file in (("light", "readme.svg"), ("dark", "readme-dark.svg")):
        picture = charts.headline("The other program takes so many times as long", note, drawn, theme)
        (folder / "charts" / file).write_text(picture)


def write(results, folder):
    (folder / "charts").mkdir(parents=True, exist_ok=True)
    draw_headline(results, folder)
    text = INTRODUCTION + summary(results) + sections(results, folder) + goals(results)
    text += METHOD.format(rounds=rounds(results), size=size_name(results["bytes"])) + where(results)
    (folder / "performance.md").write_text(text)
    (folder / "performance.json").write_text(compact(results))
