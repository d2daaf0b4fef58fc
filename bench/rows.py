# SPDX-License-Identifier: MIT
"""What is compared with what. src/route/table.c names these rows as its evidence.

A contender is a command in the words one would type. It runs in a folder where `source` is (and `part.1`... where the row
has several), through a shell only where it needs one. {1} and {2} are pipes that the row hands over, {device} is a disk
that is the source, {size} its bytes, {port0} and its like are free TCP ports.
"""
from row import AUTO, COPY, MEMORY, Contender, Goal, Row, bare, forced, ours, peers, told
from rows_channels import between_processes
from rows_pipes import between_threads
from rows_stages import stages
from rows_sockets import (
    file_over_tcp,
    file_to_socket,
    pipe_to_socket,
    socket_to_file,
    socket_to_null,
    socket_to_pipe,
    socket_to_socket,
)
from rows_stores import store_rows
from rows_streams import stream_rows
from rows_trees import tree_rows


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
        + told("leat copy source target", "splice", "chunk", "offload", "clone")
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
        + told("leat copy --in-place source target", "splice", "chunk", "offload")
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
        + told("leat copy - -", "splice", "chunk")
        + peers("pv -q", "cat", "dd bs=1M")
        + bare("splice-direct 1M - -", "read-write 128K - -"),
        [
            Goal("speed", 0.9, ("loops splice-direct 1M - -",), "a bare splice loop"),
            Goal("speed", 0.95, ("peer",), "the best peer"),
            AUTO,
            MEMORY,
        ],
        feed=feed,
        drain=drain,
    )


def buffers():
    return Row(
        "buffer/mbuffer",
        "pipe → buffer of 64 MiB → pipe",
        ours("leat run '- | buffer:64M | -'") + peers("mbuffer -q -m 64M"),
        [
            Goal("speed", 0.95, ("mbuffer -q -m 64M",), "mbuffer"),
            Goal("cpu", 0.5, ("mbuffer -q -m 64M",), "mbuffer"),
        ],
        feed="write",
        drain="null",
        times=4,
    )


def pipe_to_file(place):
    return Row(
        f"pipe-to-file/{place}",
        "pipe → new file, {fs}",
        ours("leat copy - target")
        + told("leat copy - target", "chunk", "splice")
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
        + told("leat copy --digest sha256 source target", "chunk", "clone")
        + peers(
            "openssl dgst -sha256 source",
            "cp source target && sha256sum target",
            "tee target < source | sha256sum",
        )
        + [Contender("hash 256K source", "bare")],
        [
            Goal("speed", 0.85, ("openssl dgst -sha256 source",), "openssl, which does not copy"),
            Goal("speed", 2.5, ("cp source target && sha256sum target",), "cp, then sha256sum"),
            AUTO,
            MEMORY,
        ],
        place,
        target=True,
    )


def digest(algorithm, sums, openssl_name):
    copy = f"leat copy --digest {algorithm} source null:"
    return Row(
        f"digest/{algorithm}",
        f"{algorithm} of a file",
        ours(f"leat digest -a {algorithm} source")
        + forced(copy, copy.replace("copy", "copy --engine uring"))
        + peers(f"{sums} source", f"openssl dgst -{openssl_name} source"),
        [Goal("speed", 0.95, ("peer",), "the best peer"), AUTO, MEMORY],
    )


def digest_files(count):
    names = " ".join(f"part.{i + 1}" for i in range(count))
    return Row(
        f"digest/{count}-files",
        f"sha256 of {count} files",
        ours(f"leat digest -a sha256 {names}")
        + forced(f"leat digest -j 1 -a sha256 {names}", f"leat digest -j {count} -a sha256 {names}")
        + peers(f"sha256sum {names}", f"openssl dgst -sha256 {names}"),
        [Goal("speed", 0.95, ("peer",), "the best peer"), AUTO, MEMORY],
        parts=count,
    )


def small_file(place):
    return Row(
        f"small-file/{place}",
        "a file of 4 KiB, process start included, {fs}",
        ours("leat copy source target")
        + told("leat copy source target", "splice", "chunk")
        + peers("cp source target", "cat source > target")
        + bare("read-write 4K source target"),
        [Goal("time", 1.2, ("cp source target",), "cp"), AUTO, MEMORY],
        place,
        target=True,
        size=4096,
        repeat=200,
    )


# ---- past the page cache ----


def fio(depth, *jobs):
    return f"fio --output=fio.json --output-format=json --bs=1M --iodepth={depth} --direct=1 --ioengine=io_uring " + " ".join(jobs)


FIO_READS = "--name=r --filename=source --rw=read --size={size}"
FIO_WRITES = "--name=w --filename=written --rw=write --size={size}"


def cold_read():
    """Of a file of 2 GiB where 256 MiB are asked for."""
    command = "leat copy --cache direct source null:"
    uring = command.replace("copy", "copy --engine uring")
    reads = fio(8, FIO_READS, "--readonly")
    return Row(
        "cold-read",
        "a cold file of {size}, past the page cache, {fs}",
        ours(command)
        + forced(uring, "leat copy --route chunk source null:")
        + peers(reads, "dd if=source of=/dev/null bs=1M iflag=direct"),
        [
            Goal("speed", 0.9, (reads,), "fio"),
            Goal("speed", 0.9, (uring,), "the other engine", own=True),
            MEMORY,
        ],
        times=8,
        cold=True,
    )


def direct_copy_between_disks():
    """Where no disk is waited for, what is done at the same time shows."""
    command = "leat copy --cache direct source onto/target"
    dd = "dd if=source of=onto/target bs=1M iflag=direct oflag=direct"
    return Row(
        "direct-copy/disks",
        "a cold file of {size} → new file on another disk, both past the page cache, {fs}",
        ours(command) + forced(command.replace("copy", "copy --engine uring")) + peers(dd, f"{dd} conv=fsync"),
        [Goal("speed", 1.5, (dd,), "dd"), AUTO, MEMORY],
        "disks",
        times=4,
        cold=True,
        target=True,
        to="onto/target",
        note="The two disks are loop devices on files in memory, each of which has a thread of the kernel that copies for "
        "it: dd keeps one of the two busy at a time.",
    )


def direct_copy():
    command = "leat copy --cache direct source target"
    dd = "dd if=source of=target bs=1M iflag=direct oflag=direct"
    return Row(
        "direct-copy/disk",
        "a cold file of {size} → new file, both past the page cache, {fs}",
        ours(command)
        + forced(command.replace("copy", "copy --engine uring"))
        + peers(dd, f"{dd} conv=fsync")
        + [Contender(fio(4, FIO_READS, FIO_WRITES), "bare")]
        + [Contender(fio(8, FIO_READS, "--readonly"), "part"), Contender(fio(8, FIO_WRITES), "part")],
        [
            Goal("speed", 1.5, (dd,), "dd"),
            Goal("speed", 0.9, ("bare",), "fio, which reads and writes at once"),
            AUTO,
            MEMORY,
        ],
        times=4,
        cold=True,
        target=True,
        note="fio reads one file and writes another at the same time: all that the disk gives to a copy, in any order. "
        "The two parts alone say how much each is. Where together they take as long as one after the other, as on a "
        "virtual disk that serves one call at a time, nothing can be gained over dd.",
    )


# ---- other sources ----


def device_to_file(place):
    return Row(
        f"device-to-file/{place}",
        "disk → new file, {fs}; the disk is a cached loop device",
        ours("leat copy {device} target")
        + told("leat copy {device} target", "splice", "chunk")
        + peers("dd if={device} of=target bs=1M", "cat {device} > target")
        + bare("splice 1M {device} target", "read-write 1M {device} target"),
        COPY,
        place,
        target=True,
        device=True,
    )


def device_to_null():
    return Row(
        "device-to-null",
        "disk → /dev/null; the disk is a cached loop device",
        ours("leat copy {device} null:")
        + told("leat copy {device} null:", "splice", "chunk")
        + peers("dd if={device} of=/dev/null bs=1M", "cat {device} > /dev/null")
        + bare("splice 1M {device} /dev/null", "read-write 1M {device} /dev/null"),
        COPY,
        "memory",
        device=True,
    )


def zeros_to_file(place):
    return Row(
        f"zeros-to-file/{place}",
        "zeros → new file, {fs}",
        ours("leat copy --length {size} zero: target")
        + told("leat copy --length {size} zero: target", "chunk", "splice")
        + peers("head -c {size} /dev/zero > target"),
        [Goal("speed", 0.95, ("peer",), "head"), AUTO, MEMORY],
        place,
        target=True,
        zeros=True,
    )


def bytes_of_a_device():
    """A pair that only chunks serve. The kernel makes random bytes slowly, so there are few."""
    command = "leat copy --length {size} /dev/urandom null:"
    return Row(
        "random-to-null",
        "random bytes of the kernel → /dev/null",
        ours(command)
        + forced(command.replace("copy", "copy --engine uring"), command.replace("copy", "copy --engine uring:all"))
        + peers("head -c {size} /dev/urandom > /dev/null"),
        [Goal("speed", 0.95, ("peer",), "head"), AUTO, MEMORY],
        "memory",
        size=8 << 20,
        source=False,
    )


def pipe_to_null():
    return Row(
        "pipe-to-null",
        "pipe → /dev/null",
        ours("leat copy - null:")
        + told("leat copy - null:", "splice", "chunk")
        + peers("cat > /dev/null", "pv -q > /dev/null", "dd of=/dev/null bs=1M iflag=fullblock")
        + bare("splice-direct 1M - /dev/null", "read-write 128K - /dev/null"),
        COPY,
        feed="write",
    )


def streams(count):
    """Many pipes to files at once; the tool fills the pipes itself."""

    def by(way):
        return f"streams {way} {count} {{size}} ."

    return Row(
        "streams/memory",
        f"{count} pipes → files at once, {{size}} together, {{fs}}",
        [Contender(by("sync"), "ours"), Contender(by("uring"), "forced")]
        + [Contender(by("threads"), "peer"), Contender(by("epoll"), "bare")],
        [
            Goal("cpu", 1.0, ("peer",), "a thread for each stream"),
            Goal("cpu", 1.1, ("bare",), "one thread with epoll and splice"),
            AUTO,
        ],
        "memory",
        times=2,
        source=False,
    )


ROWS = [
    file_to_file("disk", fresh=True),
    file_to_file("disk", fresh=False),
    file_in_place("disk"),
    file_to_file("memory", fresh=True),
    file_to_file("memory", fresh=False),
    file_in_place("memory"),
    file_to_file("network", fresh=True),
    Row(
        "file-to-null",
        "file → /dev/null",
        ours("leat copy source /dev/null")
        + told("leat copy source /dev/null", "splice", "offload", "chunk")
        + peers("cat source > /dev/null", "cp source /dev/null", "dd if=source of=/dev/null bs=1M", "pv -q source > /dev/null")
        + bare(
            "splice 256K source /dev/null",
            "splice 1M source /dev/null",
            "sendfile 1G source /dev/null",
            "read-write 128K source /dev/null",
        ),
        COPY,
        times=4,
        note="Of the usual size it would be over in 5 ms, a tenth of which is the start of a process that can do more.",
    ),
    Row(
        "file-to-pipe",
        "file → pipe, with a reader",
        ours("leat copy source -")
        + told("leat copy source -", "splice", "chunk")
        + peers("cat source", "pv -q source", "dd if=source bs=1M")
        + bare("splice-direct 1M source -", "sendfile 1G source -", "read-write 128K source -"),
        COPY,
        drain="sum",
    ),
    pipe_to_pipe("write", "sum", "pipe → pipe, with a reader"),
    pipe_to_pipe("vmsplice", "null", "pipe → pipe, nobody touches the bytes"),
    pipe_to_null(),
    buffers(),
    pipe_to_file("disk"),
    pipe_to_file("memory"),
    Row(
        "fan-out/devices",
        "file → three /dev/null",
        ours("leat copy source /dev/null /dev/null /dev/null")
        + told("leat copy source /dev/null /dev/null /dev/null", "splice", "chunk")
        + peers("tee /dev/null /dev/null < source > /dev/null")
        + bare("tee 256K source /dev/null /dev/null /dev/null", "tee 1M source /dev/null /dev/null /dev/null"),
        [Goal("speed", 1.8, ("peer",), "tee"), AUTO, MEMORY],
    ),
    Row(
        "fan-out/pipes",
        "file → three pipes, each with a reader",
        ours("leat copy source - {1} {2}")
        + told("leat copy source - {1} {2}", "splice", "chunk")
        + peers("tee {1} {2} < source")
        + bare("tee 64K source - {1} {2}"),
        [Goal("cpu", 0.6, ("peer",), "tee"), AUTO, MEMORY],
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
    pipe_to_socket("unix"),
    pipe_to_socket("tcp"),
    socket_to_pipe("unix"),
    socket_to_pipe("tcp"),
    socket_to_socket("unix"),
    socket_to_socket("tcp"),
    socket_to_null("unix"),
    file_over_tcp("memory"),
    device_to_file("memory"),
    device_to_null(),
    zeros_to_file("memory"),
    bytes_of_a_device(),
    streams(500),
    *stream_rows(),
    *between_threads(),
    *between_processes(),
    *stages(),
    *store_rows(),
    *tree_rows(),
    cold_read(),
    direct_copy(),
    direct_copy_between_disks(),
]
