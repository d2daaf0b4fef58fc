# SPDX-License-Identifier: MIT
"""The sweeps: a program is run once for each call by which it takes a resource, and that call fails.

A case says what is run and what is there beforehand; `sweep` runs it. interpose.c counts the calls and lets them fail.
What must hold of each run does not depend on the case:

  - it ends by itself, by no signal, and with nothing of ours on standard error but messages that name what went wrong
  - its exit code is the one of a run in which nothing fails, and then so is all that it leaves and prints; or it is 1,
    with a message
  - each file is whole: as it was before, or as it is after a run in which nothing fails. No other file is there
  - no memory is left that is not left when nothing fails either, and no descriptor

Kinds: memory, task (threads and processes), descriptor; and with "+" from one call on all that follow.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

BUILD = os.environ["LEAT_BUILD"]
LEAT = os.environ["LEAT"]
INTERPOSE = os.path.join(BUILD, "tests", "sweep-interpose.so")
QUICK = "LEAT_TEST_QUICK" in os.environ  # take samples
SAMPLE = int(os.environ.get("LEAT_SWEEP_SAMPLE", "8" if QUICK else "40"))  # runs of a sweep at most; 0: all
PORTABLE = "LEAT_PORTABLE" in os.environ
HANG = float(os.environ.get("LEAT_SWEEP_HANG", "60"))  # seconds until a run counts as one that hangs: each takes a fraction of one
FAULTS_MAX = 12  # of a sweep: then it is given up, since each one of them may have to be waited for
KINDS = ("memory", "memory+", "task", "task+", "descriptor", "descriptor+", "descriptor:ENFILE")
ERRNO = {"ENFILE": "23"}

# Libraries of others that keep what they took when they fail half-way, or that end the process: each with its reason.
FOREIGN = (
    ("ld-linux", "the loader keeps what a failed dlopen has loaded so far"),
    ("libcrypto", "an initialisation of OpenSSL that fails half-way is never undone; what comes then may use what was not made"),
)

# What is kept on purpose, until the process ends.
KEPT = (
    ("cli_name at", "the last names that were printed, in a static place"),
    ("chunk_new at", "the default pool keeps chunks; programs with a pool of their own show leaks of chunks"),
    ("make at pool.c", "the default pool, which is made when it is first wanted"),
)

faults = 0
figures = {}


def tell(text):
    global faults
    faults += 1
    print(text, flush=True)


def snapshot(folder):
    """What lies in a folder: the name of each file, and its contents."""
    found = {}
    for at, folders, files in os.walk(folder):
        for name in folders:
            found[os.path.relpath(os.path.join(at, name), folder) + "/"] = b""
        for name in files:
            path = os.path.join(at, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    found[os.path.relpath(path, folder)] = f.read()
    return found


class Case:
    """command: a list; {} stands for the folder it runs in. files: what is there before, name to bytes. partial: files that
    a failure may leave in part. stdin: bytes. same(a, b), said(a, b): whether two outputs, two texts on standard error, of
    runs that went well are the same, where they need not be byte for byte. peer(folder, ended): runs meanwhile, on a
    thread, until the event `ended` is set at the latest. code: its exit code where nothing fails. kept: what may stay in
    memory, as KEPT. most: so many calls of a kind are enough unless all of them are asked for, since a run takes long.
    left: how names begin that a failure may leave."""

    def __init__(self, name, *command, files=None, partial=(), stdin=b"", same=None, said=None, peer=None, kinds=KINDS,
                 program=None, code=0, kept=KEPT, most=None, left=()):
        self.name, self.command = name, [os.path.join(BUILD, "tests", "sweep-" + program) if program else LEAT, *command]
        self.files, self.partial, self.stdin, self.peer, self.kinds = files or {}, partial, stdin, peer, kinds
        self.kept, self.most, self.left = kept, most, tuple(left)
        self.same, self.said, self.code = same or equal, said or equal, code


def equal(a, b):
    return a == b


def anything(_a, _b):
    return True


def report(a, b):
    """Two reports as JSON, and nothing else: but for times, and for the way that the bytes went."""
    def essence(text):
        told = json.loads(text)
        return (told["status"], told["bytes"], told["error"], [(d["algorithm"], d["hex"], d["side"]) for d in told["digests"]],
                [(s["spec"], s["status"], s["bytes"], s["error"]) for s in told["sinks"]],
                [(h["from"], h["to"], h["taken"], h["delivered"], h["held"], h["discarded"]) for h in told["hops"]],
                sorted(told))
    return essence(a) == essence(b)


class Ended:
    """How a run ended: code, out, err, the files it left, and what the interposer counted."""

    def __init__(self, case, kind, at):
        top = os.path.join(os.environ["TEST_TMP"], "run")
        shutil.rmtree(top, ignore_errors=True)
        self.folder, scratch, said = os.path.join(top, "in"), os.path.join(top, "tmp"), os.path.join(top, "said")
        os.makedirs(self.folder)
        os.makedirs(scratch)
        for name, contents in case.files.items():
            os.makedirs(os.path.dirname(os.path.join(self.folder, name)), exist_ok=True)
            with open(os.path.join(self.folder, name), "wb") as f:
                f.write(contents)
        self.before = snapshot(top)
        sort, _, number = kind.partition(":")
        environment = dict(os.environ, LC_ALL="C", TMPDIR=scratch, LD_PRELOAD=INTERPOSE, SWEEP_KIND=sort.rstrip("+"),
                           SWEEP_AT=str(at), SWEEP_OUT=said)
        environment["ASAN_OPTIONS"] = "verify_asan_link_order=0:allocator_may_return_null=1:" + os.environ.get("ASAN_OPTIONS", "")
        if sort.endswith("+"):
            environment["SWEEP_ON"] = "1"
        if number:
            environment["SWEEP_ERRNO"] = ERRNO[number]
        self.command = [str(a).replace("{}", self.folder) for a in case.command]
        ended = threading.Event()
        if case.peer:
            peer = threading.Thread(target=case.peer, args=(self.folder, ended))
            peer.start()
        with subprocess.Popen(self.command, cwd=self.folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, start_new_session=True) as process:
            self.hangs = False
            try:
                out, err = process.communicate(case.stdin, timeout=HANG)
            except subprocess.TimeoutExpired:
                self.hangs = True
                if "LEAT_SWEEP_STOP" in os.environ:
                    sys.exit(f"{process.pid} hangs, and is left so: {self.command}")
                os.killpg(process.pid, signal.SIGKILL)
                out, err = process.communicate()
        ended.set()
        if case.peer:
            peer.join()
        self.code, self.out, self.err = process.returncode, out, err.decode(errors="replace").strip()
        self.calls = self.failed = 0
        self.frames, self.crash, self.live, self.open, self.told = [], [], {}, [], False
        if os.path.exists(said):
            self.told = True
            self.read(said)
            os.remove(said)
        self.after = snapshot(top)

    def read(self, said):
        with open(said, encoding="utf-8", errors="replace") as f:
            for line in f:
                what, *rest = line.split()
                if what in ("calls", "failed"):
                    setattr(self, what, int(rest[0]))
                elif what == "frame" and "sweep-interpose" not in rest[0]:
                    self.frames.append((rest[0], rest[1]))
                elif what == "crash":
                    self.crash.append((rest[0], rest[1]))
                elif what == "live":
                    self.live.setdefault((rest[0], rest[1]), []).append(int(rest[2]))
                elif what == "open":
                    self.open.append(" ".join(rest[1:]))

    def foreign(self):
        """Whether what failed was called by a library of others, and which."""
        return next((name for name, _ in FOREIGN for frame in self.frames[:12] if name in frame[0]), None)


def wrong(case, good, run):
    """What does not hold, or None."""
    if run.hangs:
        return "hangs"
    if run.code < 0 and "libcrypto" in "".join(module for module, _ in run.crash[:6]):
        return None  # see FOREIGN: it uses the lock that it could not make
    if run.code < 0:
        return f"ended by {signal.Signals(-run.code).name} at {places(run.crash)}"
    if "ERROR: " in run.err or "runtime error: " in run.err:
        return "a sanitizer complains"
    if not run.told:
        return "ended without its destructors"
    if run.code == 0:
        try:
            if not case.same(good.out, run.out):
                return f"exit 0, and another output than when nothing fails: {run.out[:300]} for {good.out[:300]}"
            if not case.said(good.err, run.err):
                return f"exit 0, and this is said, which is not said when nothing fails: {run.err}"
        except (ValueError, KeyError) as error:
            return f"exit 0, and no JSON as it should be: {error!r}: {run.out[:500]} {run.err[:500]}"
        if run.after != good.after:
            return "exit 0, and other files than when nothing fails"
    if run.code not in (1, good.code):
        return f"exit {run.code}"
    if run.code == 1:
        lines = [line for line in run.err.split("\n") if re.match(r"[\w./-]+: .", line)]
        if not lines:
            return "exit 1 without a message"
        for line in lines:
            if "Success" in line or "(null)" in line or re.search(r":\s*$", line):
                return "exit 1, and the message says nothing"
    for name, contents in run.after.items():
        if name.startswith(case.left):
            continue
        if name not in run.before and name not in good.after:
            return f"{name} is left behind"
        if name not in case.partial and contents not in (run.before.get(name), good.after.get(name)):
            return f"{name} is neither the old file nor the new one"
    for name in run.before:
        if name not in run.after and name in good.after:
            return f"{name} is gone"
    if not run.foreign():
        for place, sizes in run.live.items():
            if len(sizes) <= len(good.live.get(place, ())) or "ld-linux" in place[0]:
                continue
            taken = places([place])
            if not any(name in taken for name, _ in case.kept):
                return f"{sum(sizes)} bytes are left, taken at {taken}"
        more = [name for name in run.open if name not in good.open and not name.startswith("pipe:")]
        if more or len(run.open) > len(good.open):
            return f"descriptors are left: {run.open}"
    return None


def places(frames):
    """What the debugger calls a place."""
    said = []
    for module, offset in frames:
        offset = hex(int(offset, 16) - 1)  # of the call, not of where it returns to
        try:
            text = subprocess.run(["addr2line", "-fpse", module, offset], capture_output=True, text=True, check=False).stdout
        except OSError:
            text = ""
        text = text.strip().replace(os.environ.get("LEAT_SOURCE", "") + "/", "")
        said.append(text if text and not text.startswith("??") else f"{os.path.basename(module)}+{offset}")
    return " < ".join(said)


def numbers(count, most):
    """Which calls of so many fail: all, or evenly spread ones, the first and the last among them."""
    sample = min(SAMPLE, most or SAMPLE)
    if sample == 0 or count <= sample:
        yield from range(1, count + 1)
        return
    for i in range(sample):
        yield 1 + i * (count - 1) // (sample - 1)


def sweep_kind(case, kind, good):
    done = bad = survived = 0
    at = 0
    for at in numbers(good.calls, case.most):
        run = Ended(case, kind, at)
        if run.told and run.failed == 0:
            continue  # threads take in another order what they take: not reached this time
        done += 1
        survived += run.code == good.code
        fault = wrong(case, good, run)
        if fault:
            bad += 1
            tell(f"{case.name}, {kind} {at}: {fault}\n    exit {run.code}: {run.err[:1500]}\n    failed: {places(run.frames[:14])}")
            if bad >= FAULTS_MAX:
                print(f"{case.name}, {kind}: given up")
                break
    figures.setdefault(case.name, []).append(f"{kind} {done} of {good.calls} ({survived} did without)")


def sweep(*cases):
    """Runs all of them, prints the figures, and exits."""
    if not os.path.exists(INTERPOSE):
        print("there is no tests/sweep-interpose.so in this build")
        sys.exit(77)
    only = os.environ.get("LEAT_SWEEP_ONLY")  # NAME or NAME,KIND,AT
    if only and only.count(",") == 2:
        name, kind, at = only.split(",")
        case = next(c for c in cases if c.name == name)
        good, run = Ended(case, kind, 0), Ended(case, kind, int(at))
        print(f"exit {run.code}: {run.err}\n{run.out.decode()}\n{places(run.frames)}\n{wrong(case, good, run)}")
        sys.exit(0)
    for case in cases:
        if only and case.name != only:
            continue
        for kind in case.kinds:
            good = Ended(case, kind, 0)
            if good.hangs or good.code != case.code or not good.told:
                tell(f"{case.name}: does not work even where nothing fails: exit {good.code}: {good.err}")
                break
            sweep_kind(case, kind, good)
        print(f"{case.name}: {'; '.join(figures.get(case.name, ()))}", flush=True)
    print(f"{faults} faults")
    sys.exit(1 if faults else 0)
