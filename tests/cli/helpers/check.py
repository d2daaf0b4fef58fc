# SPDX-License-Identifier: MIT
"""What the tests in Python share: running the command, and saying what went wrong without stopping at the first."""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time

LEAT = os.environ["LEAT"]
HELPERS = os.path.join(os.environ["LEAT_BUILD"], "tests")
ENGINE = os.environ.get("LEAT_TEST_ENGINE")  # of every copy, where a test says "engines:" in its first lines
ROUTES = [route for route in ("clone", "offload", "splice", "direct", "chunk")  # the portable build has fewer
          if subprocess.run([LEAT, "copy", "--explain", "--route", "prefer:" + route, "null:", "null:"],
                            capture_output=True, check=False).returncode != 2]
PORTABLE = "splice" not in ROUTES  # POSIX alone: no holes are seen, no O_DIRECT, no mount points
MODES = ["auto"] + ROUTES + ["prefer:" + route for route in ROUTES]
SIZES = [0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 2**20 - 1, 2**20, 2**20 + 1, 8 * 2**20 + 7]
TOLD_MAX = 5  # failures that are shown of a section
QUICK = "LEAT_TEST_QUICK" in os.environ  # take samples
KEPT = random.Random(17).randbytes(8 * 2**20 + 7)  # reproducible

failures = checks = told = 0


def sample(cases, stride=17):
    """All of them; where a sample will do, every seventeenth: a prime, so that it meets each value of each loop."""
    cases = list(cases)
    return cases[::stride] if QUICK else cases


class Run:
    """How one run ended: code (negative: the signal), out and err as bytes, report as a dictionary or None."""

    def __init__(self, code, out, err, command):
        self.code, self.out, self.raw, self.command = code, out, err, command
        self.report, lines = None, []
        for line in err.split(b"\n"):
            if line.startswith(b'{"type":"report"'):
                self.report = json.loads(line)
            else:
                lines.append(line)
        self.err = b"\n".join(lines).decode(errors="replace").strip()

    def __str__(self):
        return f"    $ {self.command}\n    exit {self.code}: {self.err[:400]}\n    {json.dumps(self.report)[:600]}"

    def routes(self, hop=0):
        return {r["route"] for r in self.report["hops"][hop]["routes"] if r["bytes"]}

    def digest(self):
        return self.report["digests"][0]["hex"] if self.report and self.report["digests"] else None

    def error(self):
        return (self.report or {}).get("error") or {}


def start(*arguments, before=(), **options):
    arguments = ["auto" if str(a).startswith("prefer:") and a[7:] not in ROUTES else a for a in arguments]
    for stream in ("stdin", "stdout", "stderr"):
        options.setdefault(stream, subprocess.DEVNULL if stream == "stdin" else subprocess.PIPE)
    if ENGINE and arguments[0] == "copy":
        arguments = ["copy", "--engine", ENGINE, *arguments[1:]]
    return subprocess.Popen([*before, LEAT, *map(os.fspath, arguments)], **options)


def end(process, timeout=60):
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        expect(False, f"hung: {process.args}")
    return Run(process.returncode, out, err or b"", " ".join(map(str, process.args)))


def until(what, seconds=60):
    """Waits until it is so, however slow the machine is, and says whether it is."""
    limit = time.monotonic() + seconds
    while not what() and time.monotonic() < limit:
        time.sleep(0.005)
    return what()


def wait_until_caught(process, number):
    """Until the command has a handler for this signal: it moves bytes soon, or does already."""
    def caught():
        for line in read(f"/proc/{process.pid}/status").splitlines():
            if line.startswith(b"SigCgt:"):
                return int(line.split()[1], 16) >> (number - 1) & 1
        return 0
    until(lambda: process.poll() is not None or caught())


def wait_until_open(process, path):
    """And a moment more, in which it has looked at what it opened."""
    folder = f"/proc/{process.pid}/fd"
    until(lambda: process.poll() is not None or
          any(os.path.realpath(f"{folder}/{fd}") == os.path.realpath(path) for fd in os.listdir(folder)))
    time.sleep(0.1)


def replacing(arguments):
    """With several sinks that is an option."""
    return [] if "--no-clobber" in arguments else ["--replace"]


def copy(*arguments, before=(), data=None, timeout=60, **options):
    """leat copy --report=json; `data` goes to its standard input through a pipe. Files of earlier runs are replaced."""
    if data is not None:
        options["stdin"] = subprocess.PIPE
    process = start("copy", "--report=json", *replacing(arguments), *arguments, before=before, **options)
    if data is None:
        return end(process, timeout)
    try:
        out, err = process.communicate(data, timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        expect(False, f"hung: {process.args}")
    return Run(process.returncode, out, err, " ".join(map(str, process.args)))


def expect(condition, what, run=None):
    global failures, checks, told
    checks += 1
    if not condition:
        failures += 1
        told += 1
        if told <= TOLD_MAX:
            print(f"FAILED: {what}" + (f"\n{run}" if run else ""), flush=True)
    return bool(condition)


def expect_right(run, path, content, what):
    """It succeeded, the file is what it should be, and so are counts and digest."""
    ok = expect(run.code == 0, f"{what}: exit {run.code}", run)
    got = read(path)
    expect(got == content, f"{what}: {len(got)} bytes, different from the {len(content)} wanted", run)
    if ok and run.report:
        expect(run.report["bytes"] == len(content), f"{what}: 'bytes' is not {len(content)}", run)
        expect_counts(run, what)
        if run.digest():
            expect(run.digest() == sha256(content), f"{what}: wrong digest", run)


def expect_counts(run, what):
    for hop in run.report["hops"]:
        expect(hop["taken"] == hop["delivered"] + hop["held"] + hop["discarded"], f"{what}: the numbers", run)


def expect_error(run, code, words, what):
    """It failed with this exit code, and what it said has all of these words."""
    expect(run.code == code, f"{what}: exit {run.code}, not {code}", run)
    said = run.err.lower()
    for word in words:
        expect(word.lower() in said, f"{what}: '{word}' is not in what it said", run)


def expect_clean(directory, what):
    """No hidden name was left behind but journals of trees, which are there for --resume."""
    left = [name for name in os.listdir(directory) if ".leat-" in name and not name.endswith(".leat-journal")]
    expect(not left, f"{what}: left behind {left}")
    for name in left:
        os.unlink(os.path.join(directory, name))


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b"(there is no such file)"


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)
    return path


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def section(name):
    global told
    told = 0
    print(f"-- {name}", flush=True)


def skip(reason):
    print(reason)
    sys.exit(77)


def need(*programs):
    for program in programs:
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            skip(f"there is no {program}")


def finish():
    print(f"{checks} checks, {failures} failed")
    sys.exit(1 if failures else 0)
