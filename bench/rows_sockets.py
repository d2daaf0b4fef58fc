# SPDX-License-Identifier: MIT
"""The rows where one end at least is a socket."""
from row import AUTO, MEMORY, Contender, Goal, Row, forced, ours, peers, told

# {port0} and its like are given by the harness.
ADDRESSES = {"unix": "unix:socket", "tcp": "tcp:127.0.0.1:{port0}"}
ONWARDS = {"unix": "unix:onwards", "tcp": "tcp:127.0.0.1:{port1}"}


def in_socat(address):
    return address.replace("unix:", "UNIX-CONNECT:").replace("tcp:", "TCP:")


def between(name, title, ends, route_names, goals, peer, loops, others=(), **row):
    """`ends`: what runs the sockets' other sides, source, sink."""
    sides, source, sink = ends
    command = f"{sides}leat copy {source} {sink}"
    return Row(
        name,
        title,
        ours(command)
        + told(command, *route_names)
        + peers(f"{sides}{peer}", *others)
        + [Contender(f"{sides}loops {loop} {source} {sink}", "bare") for loop in loops],
        [*goals, Goal("speed", 0.9, ("bare",), "the best bare loop"), AUTO, MEMORY],
        **row,
    )


def file_to_socket(kind):
    address = ADDRESSES[kind]
    drain = f"peer drain {address} "
    socat = f"socat -u FILE:source {in_socat(address)}"
    return between(
        f"file-to-socket/{kind}",
        f"file → {kind} socket, with a reader",
        (drain, "source", address),
        {"unix": ("splice", "offload", "chunk"), "tcp": ("offload", "splice", "chunk")}[kind],
        [Goal("speed", {"unix": 2.5, "tcp": 1.5}[kind], (drain + socat,), "socat")],
        socat,
        ("splice 256K", "splice 1M", "sendfile 1G", "read-write 128K"),
        [f"{drain}sh -c 'pv -q source | nc -N 127.0.0.1 {{port0}}'"] if kind == "tcp" else [],
        place="memory",
    )


def pipe_to_socket(kind):
    address = ADDRESSES[kind]
    return between(
        f"pipe-to-socket/{kind}",
        f"pipe → {kind} socket, with a reader",
        (f"peer drain {address} ", "-", address),
        ("splice", "chunk"),
        [Goal("speed", 1.0, ("peer",), "socat")],
        f"socat -u STDIN {in_socat(address)}",
        ("splice-direct 1M", "read-write 128K"),
        feed="write",
    )


def socket_to_pipe(kind):
    address = ADDRESSES[kind]
    return between(
        f"socket-to-pipe/{kind}",
        f"{kind} socket → pipe, with a reader",
        (f"peer feed {address} source ", address, "-"),
        ("splice", "chunk"),
        [Goal("speed", 1.0, ("peer",), "socat")],
        f"socat -u {in_socat(address)} STDOUT",
        ("splice-direct 1M", "read-write 128K"),
        drain="sum",
    )


def socket_to_socket(kind):
    source, sink = ADDRESSES[kind], ONWARDS[kind]
    return between(
        f"socket-to-socket/{kind}",
        f"{kind} socket → {kind} socket, with a reader",
        (f"peer feed {source} source peer drain {sink} ", source, sink),
        ("splice", "chunk"),
        [Goal("speed", 1.0, ("peer",), "socat")],
        f"socat -u {in_socat(source)} {in_socat(sink)}",
        ("splice 256K", "read-write 128K"),
        place="memory",
    )


def socket_to_null(kind):
    address = ADDRESSES[kind]
    return between(
        f"socket-to-null/{kind}",
        f"{kind} socket → /dev/null",
        (f"peer feed {address} source ", address, "/dev/null"),
        ("splice", "chunk"),
        [Goal("speed", 1.0, ("peer",), "socat")],
        f"socat -u {in_socat(address)} OPEN:/dev/null",
        ("splice 256K", "read-write 128K"),
        place="memory",
    )


def socket_to_file(kind, place):
    address = ADDRESSES[kind]
    return between(
        f"socket-to-file/{kind}/{place}",
        f"{kind} socket → new file, {{fs}}",
        (f"peer feed {address} source ", address, "target"),
        ("splice", "chunk"),
        [Goal("speed", 1.0, ("peer",), "socat")],
        f"socat -u {in_socat(address)} CREATE:target",
        ("splice 256K", "read-write 128K"),
        place=place,
        target=True,
    )


def file_over_tcp(place):
    """Both sides of a connection; `both` starts the second command when the first one listens."""

    def through(receiver, sender):
        return f"both {{port2}} {receiver} -- {sender}"

    def leats(receives="", sends=""):
        return through(
            f"leat copy {receives}tcp-listen:127.0.0.1:{{port2}} target", f"leat copy {sends}source tcp:127.0.0.1:{{port2}}"
        )

    socats = through(
        "socat -u TCP-LISTEN:{port2},bind=127.0.0.1,reuseaddr CREATE:target", "socat -u FILE:source TCP:127.0.0.1:{port2}"
    )
    pv_nc = through("sh -c 'nc -d -l 127.0.0.1 {port2} > target'", "sh -c 'pv -q source | nc -N 127.0.0.1 {port2}'")
    uring = "--engine uring "
    chunk = "--route chunk "
    return Row(
        f"file-tcp-file/{place}",
        "file → tcp → new file, both processes, {fs}",
        ours(leats())
        + forced(leats(uring, uring), leats(chunk), leats("", "--route splice "), leats(chunk, chunk))
        + peers(socats, pv_nc),
        [Goal("speed", 1.5, (socats,), "socat"), Goal("speed", 1.2, (pv_nc,), "pv into nc"), AUTO, MEMORY],
        place,
        target=True,
    )
