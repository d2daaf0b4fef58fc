"""What is compared with what. src/flow/table.c names these rows as its evidence.

A contender is a command in the words one would type. It runs in a folder where `source` is (and `part.1`... where the row
has several), through a shell only where it needs one. {1} and {2} are pipes that the row hands over.
"""
from dataclasses import dataclass

MEMORY_MOST = 32 << 20  # bytes, of any copy


@dataclass
class Contender:
    command: str
    role: str = "peer"  # ours; forced: ours by a route that was not chosen; peer; bare: a loop of the benchmark


@dataclass
class Goal:
    """`kind` of the first contender against each of `against` (roles or commands): the worst of them counts.

    speed: time of the other / ours, at least `bound`; time: ours / the other, at most; cpu: seconds of ours / the
    other's, at most; memory: peak of ours in bytes, at most.
    """

    kind: str
    bound: float
    against: tuple = ()
    called: str = ""


@dataclass
class Row:
    name: str
    title: str
    contenders: list
    goals: list
    place: str = "disk"  # or memory: where source and target lie
    feed: str = ""  # how a pipe is filled on standard input: write, vmsplice
    drain: str = ""  # how pipes are emptied, on standard output and {1}, {2}: sum, null
    pipes: int = 0  # beside standard output
    target: bool = False  # writes the file `target`, which must be what the source is
    fresh: bool = True  # the target is deleted before; else it is there
    size: int = 0  # of the source; 0: as asked for
    repeat: int = 1  # processes a round
    parts: int = 0  # part.1 ... part.N together are as large as the source


def ours(*commands):
    return [Contender(c, "ours") for c in commands]


def forced(*commands):
    return [Contender(c, "forced") for c in commands]


def peers(*commands):
    return [Contender(c, "peer") for c in commands]


def bare(*commands):
    return [Contender("loops " + c, "bare") for c in commands]


MEMORY = Goal("memory", MEMORY_MOST, called="peak memory")
COPY = [
    Goal("speed", 0.95, ("peer",), "the best peer"),
    Goal("speed", 0.95, ("bare",), "the best bare loop"),
    MEMORY,
]


def routes(before, after):
    return forced(*[f"{before} --route {route} {after}" for route in ("clone", "offload", "splice", "chunk")])


def file_loops(target):
    return bare(
        *[f"read-write {block} source {target}" for block in ("128K", "512K", "1M")],
        *[f"splice {block} source {target}" for block in ("256K", "1M")],
        f"copy-range 1G source {target}",
        f"sendfile 1G source {target}",
    )


def file_to_file(place, fresh):
    return Row(
        f"file-to-file/{place}/{'fresh' if fresh else 'replace'}",
        f"file → {'new' if fresh else 'existing'} file, {{fs}}",
        ours("leat copy source target")
        + routes("leat copy", "source target")
        + peers(
            "cp source target",
            "cp --reflink=never source target",
            "cat source > target",
            "dd if=source of=target bs=1M",
        )
        + file_loops("target"),
        COPY,
        place,
        target=True,
        fresh=fresh,
    )


def file_in_place(place):
    return Row(
        f"file-to-file/{place}/in-place",
        "file → existing file, through its blocks, {fs}",
        ours("leat copy --in-place source target")
        + routes("leat copy --in-place", "source target")
        + peers("dd if=source of=target bs=1M conv=notrunc")
        + file_loops("+target"),
        COPY,
        place,
        target=True,
        fresh=False,
    )


def pipe_to_pipe(feed, drain, title):
    return Row(
        f"pipe-to-pipe/{drain}",
        title,
        ours("leat copy - -")
        + forced("leat copy --route chunk - -")
        + peers("pv -q", "cat", "dd bs=1M")
        + bare("splice-direct 1M - -", "read-write 128K - -"),
        [
            Goal("speed", 0.9, ("loops splice-direct 1M - -",), "a bare splice loop"),
            Goal("speed", 0.95, ("peer",), "the best peer"),
            MEMORY,
        ],
        feed=feed,
        drain=drain,
    )


def pipe_to_file(place):
    return Row(
        f"pipe-to-file/{place}",
        "pipe → new file, {fs}",
        ours("leat copy - target")
        + forced(*[f"leat copy --route {r} - target" for r in ("splice", "chunk")])
        + peers("cat > target", "pv -q > target", "dd of=target bs=1M iflag=fullblock")
        + bare("splice-direct 1M - target", "read-write 64K - target", "read-write 128K - target"),
        COPY,
        place,
        feed="write",
        target=True,
    )


def copy_sha256(place):
    return Row(
        f"copy-sha256/{place}",
        "file → new file with SHA-256, {fs}",
        ours("leat copy --digest sha256 source target")
        + peers(
            "openssl dgst -sha256 source",
            "cp source target && sha256sum target",
            "tee target < source | sha256sum",
        )
        + [Contender("hash 256K source", "bare")],
        [
            Goal("speed", 0.85, ("openssl dgst -sha256 source",), "openssl, which does not copy"),
            Goal("speed", 2.5, ("cp source target && sha256sum target",), "cp, then sha256sum"),
            MEMORY,
        ],
        place,
        target=True,
    )


def digest(algorithm, sums, openssl_name):
    return Row(
        f"digest/{algorithm}",
        f"{algorithm} of a file",
        ours(f"leat digest -a {algorithm} source") + peers(f"{sums} source", f"openssl dgst -{openssl_name} source"),
        [Goal("speed", 0.95, ("peer",), "the best peer"), MEMORY],
    )


def digest_files(count):
    names = " ".join(f"part.{i + 1}" for i in range(count))
    return Row(
        f"digest/{count}-files",
        f"sha256 of {count} files",
        ours(f"leat digest -a sha256 {names}") + peers(f"sha256sum {names}", f"openssl dgst -sha256 {names}"),
        [Goal("speed", 0.95, ("peer",), "the best peer"), MEMORY],
        parts=count,
    )


def small_file(place):
    return Row(
        f"small-file/{place}",
        "a file of 4 KiB, process start included, {fs}",
        ours("leat copy source target")
        + peers("cp source target", "cat source > target")
        + bare("read-write 4K source target"),
        [Goal("time", 1.2, ("cp source target",), "cp"), MEMORY],
        place,
        target=True,
        size=4096,
        repeat=200,
    )


ADDRESSES = {"unix": "unix:socket", "tcp": "tcp:127.0.0.1:47611"}


def file_to_socket(kind):
    address = ADDRESSES[kind]
    drain = f"peer drain {address} "
    socat = {"unix": "UNIX-CONNECT:socket", "tcp": "TCP:127.0.0.1:47611"}[kind]
    others = [f"{drain}socat -u FILE:source {socat}"]
    if kind == "tcp":
        others.append(f"{drain}sh -c 'pv -q source | nc -N 127.0.0.1 47611'")
    return Row(
        f"file-to-socket/{kind}",
        f"file → {kind} socket, with a reader",
        ours(f"{drain}leat copy source {address}")
        + forced(*[f"{drain}leat copy --route {r} source {address}" for r in ("splice", "offload", "chunk")])
        + peers(*others)
        + [
            Contender(f"{drain}loops {loop} source {address}", "bare")
            for loop in ("splice 256K", "splice 1M", "sendfile 1G", "read-write 128K")
        ],
        [
            Goal("speed", {"unix": 2.5, "tcp": 1.5}[kind], (others[0],), "socat"),
            Goal("speed", 0.9, ("bare",), "the best bare loop"),
            MEMORY,
        ],
        "memory",
    )


def socket_to_file(kind, place):
    address = ADDRESSES[kind]
    feed = f"peer feed {address} source "
    socat = {"unix": "UNIX-CONNECT:socket", "tcp": "TCP:127.0.0.1:47611"}[kind]
    return Row(
        f"socket-to-file/{kind}/{place}",
        f"{kind} socket → new file, {{fs}}",
        ours(f"{feed}leat copy {address} target")
        + forced(*[f"{feed}leat copy --route {r} {address} target" for r in ("splice", "chunk")])
        + peers(f"{feed}socat -u {socat} CREATE:target")
        + [Contender(f"{feed}loops {loop} {address} target", "bare") for loop in ("splice 256K", "read-write 128K")],
        [
            Goal("speed", 1.0, ("peer",), "socat"),
            Goal("speed", 0.9, ("bare",), "the best bare loop"),
            MEMORY,
        ],
        place,
        target=True,
    )


def streams(count, each):
    """Many pipes to files at once; the tool fills the pipes itself."""
    return Row(
        "streams/memory",
        f"{count} pipes → files at once, {{fs}}",
        [Contender(f"streams sync {count} {each} .", "ours")]
        + [Contender(f"streams uring {count} {each} .", "forced")]
        + [Contender(f"streams threads {count} {each} .", "peer"), Contender(f"streams epoll {count} {each} .", "bare")],
        [
            Goal("cpu", 1.0, ("peer",), "a thread for each stream"),
            Goal("cpu", 1.1, ("bare",), "one thread with epoll and splice"),
        ],
        "memory",
        size=count << 20,
    )


ROWS = [
    file_to_file("disk", fresh=True),
    file_to_file("disk", fresh=False),
    file_in_place("disk"),
    file_to_file("memory", fresh=True),
    file_to_file("memory", fresh=False),
    file_in_place("memory"),
    Row(
        "file-to-null",
        "file → /dev/null",
        ours("leat copy source /dev/null")
        + forced(*[f"leat copy --route {r} source /dev/null" for r in ("splice", "offload", "chunk")])
        + peers("cat source > /dev/null", "cp source /dev/null", "dd if=source of=/dev/null bs=1M", "pv -q source > /dev/null")
        + bare(
            "splice 256K source /dev/null",
            "splice 1M source /dev/null",
            "sendfile 1G source /dev/null",
            "read-write 128K source /dev/null",
        ),
        COPY,
    ),
    Row(
        "file-to-pipe",
        "file → pipe, with a reader",
        ours("leat copy source -")
        + forced(*[f"leat copy --route {r} source -" for r in ("splice", "chunk")])
        + peers("cat source", "pv -q source", "dd if=source bs=1M")
        + bare("splice-direct 1M source -", "sendfile 1G source -", "read-write 128K source -"),
        COPY,
        drain="sum",
    ),
    pipe_to_pipe("write", "sum", "pipe → pipe, with a reader"),
    pipe_to_pipe("vmsplice", "null", "pipe → pipe, nobody touches the bytes"),
    pipe_to_file("disk"),
    pipe_to_file("memory"),
    Row(
        "fan-out/devices",
        "file → three /dev/null",
        ours("leat copy source /dev/null /dev/null /dev/null")
        + forced("leat copy --route chunk source /dev/null /dev/null /dev/null")
        + peers("tee /dev/null /dev/null < source > /dev/null")
        + bare("tee 256K source /dev/null /dev/null /dev/null", "tee 1M source /dev/null /dev/null /dev/null"),
        [Goal("speed", 1.8, ("peer",), "tee"), MEMORY],
    ),
    Row(
        "fan-out/pipes",
        "file → three pipes, each with a reader",
        ours("leat copy source - {1} {2}")
        + forced("leat copy --route chunk source - {1} {2}")
        + peers("tee {1} {2} < source")
        + bare("tee 64K source - {1} {2}"),
        [Goal("cpu", 0.6, ("peer",), "tee"), MEMORY],
        drain="sum",
        pipes=2,
    ),
    copy_sha256("disk"),
    copy_sha256("memory"),
    small_file("disk"),
    small_file("memory"),
    digest("sha256", "sha256sum", "sha256"),
    digest("blake2b-512", "b2sum", "blake2b512"),
    digest_files(4),
    file_to_socket("unix"),
    file_to_socket("tcp"),
    socket_to_file("unix", "memory"),
    socket_to_file("tcp", "memory"),
    socket_to_file("tcp", "disk"),
    streams(500, "1M"),
]
