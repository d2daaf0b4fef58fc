# SPDX-License-Identifier: MIT
"""Measures the rows of rows.py; scripts/bench is the way to start it, and docs/performance.md says what is measured.

All contenders of a row run once in a trial, in which files are compared and what doesn't work here is left out, then in
rounds, each in another order. Ours and the first peer run twice in each round, so that what is only noise is seen.
"""
import argparse
import datetime
import filecmp
import fnmatch
import json
import os
import pathlib
import platform
import random
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import docs
import report
import rows
from row import NotHere
from servers import ENVIRONMENT, Server

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT = 600  # seconds, for one command
ROUNDS, SIZE = 7, "256M"  # so that all rows end within 25 minutes
SMALLEST = 32  # of what a row has of its own, however it is shrunk
AGAIN = " (again)"  # behind a command, the second time


def units(text):
    number = text.rstrip("KMG")
    return int(number) << {"": 0, "K": 10, "M": 20, "G": 30}[text[len(number) :]]


# ---- a place: a folder on one file system, with the files that rows need ----


def remove(path):
    """A file, a folder, or nothing."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


class Place:
    leftovers = ("target", "onto/target", "fed", "lines", "text", "written", "tree", "sums", "fio.json")

    def __init__(self, parent):
        self.device = self.server = None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-bench-", dir=parent))
        df = subprocess.run(["df", "--output=fstype", self.folder], capture_output=True, text=True, check=True)
        self.file_system = df.stdout.split()[-1]

    def fill(self, name, size):
        """A file of incompressible bytes, in the page cache afterwards."""
        path = self.folder / name
        if path.exists() and path.stat().st_size == size:
            return
        with open(path, "wb") as file:
            while size > 0:
                size -= file.write(os.urandom(min(size, 1 << 24)))
            file.flush()
            os.fsync(file.fileno())

    def attach(self):
        """A disk that is the file `source`, and is in the page cache as well."""
        command = ["losetup", "--find", "--show", "--read-only", self.folder / "source"]
        try:
            made = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise NotHere("losetup is not installed")
        if made.returncode != 0:
            raise NotHere(made.stderr.strip() or "there is no loop device")
        self.device = made.stdout.strip()
        self.held = open(self.device, "rb")  # its pages go with the last one who has it open

    def prepare(self, row, size, source):
        """`fed` is what a target shall be where it is not the source."""
        if row.source:
            self.fill("source", size)
        if row.device:
            self.attach()
        if row.feed and row.target:
            with open(self.folder / "fed", "wb") as fed:
                subprocess.run([source, row.feed, str(size)], stdout=fed, check=True)
        if row.zeros:
            with open(self.folder / "fed", "wb") as fed:
                fed.truncate(size)
        if row.lines:
            with open(self.folder / "lines", "wb") as lines:
                for _ in range(max(size // (100 << 13), 1)):
                    lines.write((b"x" * 99 + b"\n") * (1 << 13))
        if row.text:
            self.write_text(size)
        for number in range(max(size // 4096, 1) if row.tree else 0):
            folder = self.folder / "tree" / str(number % 100)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"file{number}").write_bytes(os.urandom(4096))
        for part in range(row.parts):
            self.fill(f"part.{part + 1}", size // row.parts)

    def write_text(self, size):
        """Words in a random order, the same each time, as compressible as prose is; they repeat only after 8 MiB."""
        dice = random.Random(0)
        words = ["".join(dice.choices("etaoinshrdlu", k=dice.randint(2, 9))) for _ in range(5000)]
        weights = [1 / (place + 1) for place in range(len(words))]
        text = " ".join(dice.choices(words, weights, k=min(size, 8 << 20) // 3))[: 8 << 20].encode()
        with open(self.folder / "text", "wb") as file:
            for _ in range(size // len(text)):
                file.write(text)
            file.write(text[: size % len(text)])

    def clear(self):
        """Of what one row leaves."""
        if self.server:
            self.server.stop()
            self.server = None
        for name in self.leftovers:
            remove(self.folder / name)
        if self.device:
            self.held.close()
            subprocess.run(["losetup", "--detach", self.device], check=False)
            self.device = None

    def cool(self):
        """The source leaves the page cache, and what was written before is on the disk."""
        os.sync()
        with open(self.folder / "source", "rb") as source:
            os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def reported(self):
        """Seconds that fio counted from its first call to its last; None where nobody left such a report."""
        try:
            jobs = json.loads((self.folder / "fio.json").read_text())["jobs"]
        except FileNotFoundError:
            return None
        return max(job[way]["runtime"] for job in jobs for way in ("read", "write")) / 1e3

    def remove(self):
        self.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


class Disks(Place):
    """Two file systems on loop devices in memory, so that no disk is waited for: the second one is the folder `onto`."""

    def __init__(self, parent):
        super().__init__(parent)
        self.parent, self.mounted, self.file_system = self.folder, [], "ext4 on a loop device each"
        self.folder = self.parent / "disk"

    def mount(self, name, folder, size):
        image = self.parent / name
        with open(image, "wb") as file:  # all of its memory is there before anything is measured, and stays
            os.posix_fallocate(file.fileno(), 0, size + size // 8 + (64 << 20))
        folder.mkdir(exist_ok=True)
        make = ["mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", image]
        for command in (make, ["mount", "-o", "loop", image, folder]):
            try:
                subprocess.run(command, capture_output=True, text=True, check=True)
            except FileNotFoundError:
                raise NotHere(f"{command[0]} is not installed")
            except subprocess.CalledProcessError as failed:
                raise NotHere(failed.stderr.strip().splitlines()[0] if failed.stderr.strip() else f"no {command[0]}")
        self.mounted.append(folder)

    def prepare(self, row, size, source):
        self.mount("one", self.folder, size)
        self.mount("other", self.folder / "onto", size)
        super().prepare(row, size, source)

    def clear(self):
        super().clear()
        while self.mounted:
            subprocess.run(["umount", self.mounted.pop()], check=False)
        for image in ("one", "other"):
            (self.parent / image).unlink(missing_ok=True)

    def remove(self):
        super().remove()
        shutil.rmtree(self.parent, ignore_errors=True)


class Nowhere(Place):
    """That which a row needs and nobody has named."""

    def __init__(self, file_system, why):
        self.file_system, self.why = file_system, why

    def prepare(self, row, size, source):
        raise NotHere(self.why)

    def clear(self):
        pass

    def remove(self):
        pass


# ---- one run of one contender ----


class Bench:
    def __init__(self, build, shrink):
        tools = build / "bench"
        self.shrink = shrink  # what a size that a row has of its own is divided by
        self.measure = str(tools / "measure")
        self.source = str(tools / "source")
        self.sink = str(tools / "sink")
        self.warm = str(tools / "warm")
        # Of this process alone, and below those that the kernel gives to who connects.
        self.ports = {f"port{i}": str(10000 + os.getpid() % 7000 * 3 + i) for i in range(3)}
        self.env = {"PATH": f"{build}:{tools}:{HERE}:{os.environ['PATH']}", "LC_ALL": "C", "HOME": "/"} | ENVIRONMENT

    def argv(self, command):
        """The program by its full path, so that looking for it is not measured; a shell where there is > < | or &."""
        words = ["sh", "-c", command] if any(c in command for c in "<>|&") else shlex.split(command)
        for program in [words[0], command.split()[0]]:
            if not shutil.which(program, path=self.env["PATH"]):
                raise NotHere(f"{program} is not installed")
        return [shutil.which(words[0], path=self.env["PATH"]), *words[1:]]

    def run(self, row, place, command, size):
        """Seconds, CPU seconds and peak memory of one round, in which it runs row.repeat times."""
        target = place.folder / row.to
        started, given = [], {"size": str(size), "device": str(place.device)} | self.ports
        result = place.folder / "result"
        result.unlink(missing_ok=True)
        (place.folder / "fio.json").unlink(missing_ok=True)

        def start(*argv, **streams):
            started.append(subprocess.Popen(argv, env=self.env, cwd=place.folder, **streams))
            return started[-1]

        drains, stdin, stdout = [], subprocess.DEVNULL, subprocess.DEVNULL
        ends = []  # the commands' ends of pipes, which must be closed here before anyone waits
        try:
            for index in range(1 + row.pipes if row.drain else 0):
                drains.append(start(self.sink, row.drain, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
                ends.append(drains[-1].stdin)
                given[str(index)] = f"/dev/fd/{drains[-1].stdin.fileno()}"
                if index == 0:
                    stdout = drains[0].stdin
            for number, name in given.items():
                command = command.replace("{" + number + "}", name)
            if row.feed:
                stdin = start(self.source, row.feed, str(size), stdout=subprocess.PIPE).stdout
                ends.append(stdin)
            with tempfile.TemporaryFile() as errors:
                measured = start(
                    self.measure,
                    str(result),
                    str(row.repeat),
                    row.to if row.target and row.fresh else "-",
                    *self.argv(command),
                    stdin=stdin,
                    stdout=stdout,
                    stderr=errors,
                    pass_fds=[end.fileno() for end in ends if end not in (stdin, stdout)],
                )
                while ends:
                    ends.pop().close()
                if measured.wait(TIMEOUT) != 0:
                    errors.seek(0)
                    lines = errors.read().decode(errors="replace").strip().splitlines()
                    raise NotHere(lines[0] if lines else f"it ended with {measured.returncode}")
            for drain in drains:
                if int(drain.stdout.read() or 0) != size:
                    raise NotHere("its reader did not get all the bytes")
            if row.target and "target" in command and (not target.exists() or target.stat().st_size != size):
                raise NotHere("the target has another size")
        finally:
            for end in ends:
                end.close()
            for process in started:
                if process.poll() is None and process.returncode is None:
                    try:
                        process.wait(10)
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait()
                if process.stdout:
                    process.stdout.close()
        seconds, user, system, peak = result.read_text().split()
        return {"seconds": place.reported() or float(seconds), "cpu": float(user) + float(system), "peak": int(peak) * 1024}

    # ---- one row ----

    def settle(self, row, place, size):
        """What the last one left behind must not be the next one's business."""
        target = place.folder / row.to
        remove(place.folder / "written")
        if row.cold:
            target.unlink(missing_ok=True)
            place.cool()
        if not row.target or row.cold:
            return
        if row.fresh:
            target.unlink(missing_ok=True)
        elif not target.exists() or target.stat().st_size != size:
            shutil.copyfile(place.folder / "source", target)
        if not row.fresh or row.repeat > 1:
            os.sync()
        if row.repeat == 1:
            subprocess.run([self.warm, str(size)], check=True)

    def trial(self, row, place, size):
        """The commands that work here, in their order, and why the others don't."""
        works, left_out = [], []
        for contender in row.contenders:
            try:
                self.settle(row, place, size)
                self.run(row, place, contender.command, size)
                if row.target and "target" in contender.command:
                    whole = place.folder / ("fed" if row.feed or row.zeros else "source")
                    if not filecmp.cmp(whole, place.folder / row.to, shallow=False):
                        raise NotHere("the target is not what the source is")
                works.append(contender)
            except NotHere as why:
                left_out.append({"command": contender.command, "role": contender.role, "why": str(why)})
        return works, left_out

    def rounds(self, row, place, count, size, commands):
        """For each command its runs; NotHere if one that worked in the trial works no more."""
        runs = [[] for _ in commands]
        dice = random.Random(row.name)
        for _ in range(count):
            os.sync()
            for index in dice.sample(range(len(commands)), len(commands)):
                self.settle(row, place, size)
                runs[index].append(self.run(row, place, commands[index], size))
        return runs

    def row(self, row, place, rounds, size):
        began = time.monotonic()
        size = max(row.size // self.shrink, SMALLEST) if row.size else size * row.times
        title = row.title.format(fs=place.file_system, size=report.size_name(size))
        result = {"name": row.name, "title": title, "note": row.note, "bytes": size}
        result |= {"processes": row.repeat, "rounds": rounds, "date": datetime.date.today().isoformat()}
        result |= {"contenders": [], "goals": []}
        try:
            place.prepare(row, size, self.source)
            if row.server:
                place.server = Server(row.server, place.folder, self.ports["port0"], self.env)
        except NotHere as why:
            place.clear()
            return result | {"skipped": str(why), "left_out": []}
        works, left_out = self.trial(row, place, size)
        result["left_out"] = left_out
        if not works or works[0].role != "ours":
            place.clear()
            return result
        first_peer = next((c for c in works if c.role == "peer"), works[0])
        twice = [works[0], *([first_peer] if first_peer != works[0] else [])]
        order = works + [rows.Contender(c.command + AGAIN, "again") for c in twice]
        try:
            runs = self.rounds(row, place, rounds, size, [c.command.removesuffix(AGAIN) for c in order])
        except NotHere as why:
            result["left_out"].append({"command": "all of them", "role": "ours", "why": f"in a later round: {why}"})
            return result
        finally:
            place.clear()
        result["contenders"] = [summary(c, runs[i], runs[0], size, row.repeat) for i, c in enumerate(order)]
        for c, again in zip(twice, result["contenders"][len(works) :]):
            again["itself"] = spread(paired(again["seconds"], result["contenders"][works.index(c)]["seconds"]))
        result["goals"] = [judged for goal in row.goals if (judged := judge(goal, result))]
        result["took"] = round(time.monotonic() - began, 1)
        return result


# ---- numbers ----


def paired(others, ours):
    return [other / own if own > 0 else float("nan") for other, own in zip(others, ours)]


def spread(values):
    """The median with the middle half of the values around it."""
    values = sorted(values)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": statistics.median(values), "low": low, "high": high}


def summary(contender, runs, our_runs, size, repeat):
    size *= repeat
    seconds = [run["seconds"] for run in runs]
    cpu = [run["cpu"] for run in runs]
    return {
        "command": contender.command,
        "role": contender.role,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "ms": statistics.median(seconds) / repeat * 1e3,
        "gb_per_s": size / statistics.median(seconds) / 1e9,
        "cpu_s_per_gb": statistics.median(cpu) / size * 1e9,
        "peak": max(run["peak"] for run in runs),
        "speed": spread(paired(seconds, [run["seconds"] for run in our_runs])),
        "cpu": spread(paired([run["cpu"] for run in our_runs], [max(c, 1e-6) for c in cpu])),
    }


def judge(goal, result):
    """None where nothing is there to compare with. A goal of ours against ours, `own`, is also met where the middle half of
    the ratios is not apart from that of one command against itself."""
    all_of = result["contenders"]
    verdict = {"kind": goal.kind, "against": goal.called, "bound": goal.bound}
    if goal.kind == "memory":
        worst = max((c for c in all_of if c["role"] in ("ours", "forced")), key=lambda c: c["peak"])
        return verdict | {"value": worst["peak"], "command": worst["command"], "met": worst["peak"] < goal.bound}
    if goal.kind == "rate":
        rates = spread([result["bytes"] / goal.each / seconds for seconds in all_of[0]["seconds"]])
        return verdict | {"value": rates["median"], "spread": rates, "met": rates["median"] >= goal.bound}
    others = [c for c in all_of if c["role"] in goal.against or c["command"] in goal.against]
    if not others:
        return None
    if goal.kind == "cpu":
        worst = max(others, key=lambda c: c["cpu"]["median"])
        value = worst["cpu"]
    else:
        worst = (max if goal.slowest else min)(others, key=lambda c: c["speed"]["median"])
        value = worst["speed"]
    if goal.kind == "time":
        value = {"median": 1 / value["median"], "low": 1 / value["high"], "high": 1 / value["low"]}
    met = value["median"] >= goal.bound if goal.kind == "speed" else value["median"] <= goal.bound
    if goal.own:
        noises = [c["itself"] for c in all_of if c["role"] == "again"]
        verdict["noise"] = min(min(itself["low"], 1 / itself["high"]) for itself in noises)
        met |= value["high"] >= verdict["noise"]
    return verdict | {"value": value["median"], "spread": value, "command": worst["command"], "met": met}


# ---- the whole ----


def machine(places):
    model = platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "kernel": f"{platform.system()} {platform.release()}",
        "file_systems": {name: p.file_system for name, p in places.items() if not isinstance(p, Nowhere)},
    }


def versions(bench):
    """The first line that each peer says of itself."""
    commands = ["leat --version", "cp --version", "pv --version", "openssl version", "fio --version"]
    said = {}
    for command in commands:
        try:
            out = subprocess.run(bench.argv(command), env=bench.env, capture_output=True, text=True, check=True).stdout
            said[command.split()[0]] = re.split(r" - | \(Library", out.splitlines()[0])[0]
        except (NotHere, subprocess.CalledProcessError, IndexError):
            pass
    return said


def wanted(patterns):
    """A pattern is a row's name, the beginning of one up to a slash, or has * and ? in it."""
    chosen = [
        row
        for row in rows.ROWS
        if not patterns or any(fnmatch.fnmatch(row.name, p) or row.name.startswith(p + "/") for p in patterns)
    ]
    if not chosen:
        sys.exit("scripts/bench: there is no such row; scripts/bench --list names them")
    return chosen


def options():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures leat beside its peers and bare loops.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these: a name, or its beginning; default: all")
    parser.add_argument("--rounds", type=int, help=f"of each row (default {ROUNDS})")
    parser.add_argument("--size", type=units, help=f"of the data, with K, M or G (default {SIZE})")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 128M")
    parser.add_argument("--processes", type=int, help="in each round of a row that has many")
    parser.add_argument("--list", action="store_true", help="name the rows and what each compares")
    parser.add_argument("--docs", action="store_true", help="write docs/performance.md, .json and the charts too")
    parser.add_argument("--minutes", type=float, help="begin no row after so long")
    parser.add_argument("--update", action="store_true", help="--docs, in which the rows not measured now stay as they are")
    parser.add_argument("--from", dest="old", metavar="JSON", help="measure nothing, take these results")
    parser.add_argument("--disk", default=str(HERE.parent / "build"), help="a folder on a disk (default build)")
    parser.add_argument("--memory", default="/dev/shm", help="a folder on tmpfs (default /dev/shm)")
    parser.add_argument("--network", help="a folder on a file server (default: its rows are left out)")
    parser.add_argument("--shrink", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--build", default=str(HERE.parent / "build/release"), help=argparse.SUPPRESS)
    parser.add_argument("--results", default=str(HERE / "results"), help=argparse.SUPPRESS)
    parser.add_argument("--docs-folder", default=str(HERE.parent / "docs"), help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.update and (o.size or o.quick or o.old):
        parser.error("--update measures rows of the size that the other rows had")
    if o.quick:
        o.rounds, o.size = 3, units("128M")
    o.docs |= o.update
    o.asked = o.rounds
    o.rounds, o.size = o.rounds or ROUNDS, o.size or units(SIZE)
    if o.rounds < 1 or o.size < 4096:
        parser.error("at least one round of at least 4K")
    return o


def measure(o):
    bench = Bench(pathlib.Path(o.build).resolve(), o.shrink)
    places = {}
    until = time.monotonic() + (o.minutes or float("inf")) * 60
    try:
        places["disk"] = Place(o.disk)
        places["memory"] = Place(o.memory)
        places["disks"] = Disks(o.memory)
        no_server = "no folder on a file server was named (--network)"
        places["network"] = Place(o.network) if o.network else Nowhere("a file server", no_server)
        results = {
            "type": "performance",
            "date": datetime.date.today().isoformat(),
            "machine": machine(places),
            "versions": versions(bench),
            "rounds": o.rounds,
            "bytes": o.size,
            "rows": [],
        }
        for row in wanted(o.rows):
            if time.monotonic() > until:
                print(f"no time for {row.name} and what is behind it")
                break
            if o.processes and row.repeat > 1:
                row.repeat = o.processes
            result = bench.row(row, places[row.place], o.rounds, o.size)
            results["rows"].append(result)
            print(report.table(result), flush=True)
        return results
    finally:
        for place in places.values():
            place.remove()


def merged(old, new):
    """The rows that were not measured now are the old ones, in the order of rows.ROWS."""
    known = {row["name"]: {"rounds": old["rounds"]} | row for row in old["rows"]}
    known |= {row["name"]: row for row in new["rows"]}
    return new | {"rows": [known[row.name] for row in rows.ROWS if row.name in known]}


def main():
    o = options()
    kept = pathlib.Path(o.docs_folder) / "performance.json"
    old = json.loads(kept.read_text()) if o.update else None
    if old:
        o.rounds, o.size = o.asked or old["rounds"], old["bytes"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the data is removed
    if o.list:
        print(report.listing(wanted(o.rows)))
        return 0
    if o.old:
        results = json.loads(pathlib.Path(o.old).read_text())
    else:
        results = measure(o)
        folder = pathlib.Path(o.results)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "latest.json").write_text(docs.compact(results))
        results = json.loads(docs.compact(results))  # what is told comes from what is kept
    if old:
        results = merged(old, results)
    print(report.verdict(results))
    if o.docs:
        docs.write(results, pathlib.Path(o.docs_folder))
    missing = [row["name"] for row in results["rows"] if not row["contenders"] and "skipped" not in row]
    if missing:
        print("scripts/bench: nothing can be said of: " + " ".join(missing), file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
