"""Hostile clients: garbage, floods, replies that nobody reads. Whatever such a client does, the kernel
survives, keeps its variables, and answers the others."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import struct
import tempfile
import threading
import time
import uuid
from pathlib import Path

import psutil
import pytest
import zmq
from jupyter_client import BlockingKernelClient, KernelManager

from kernel import KERNEL_NAME, Kernel, running_kernel

CHANNELS = ("shell", "control", "stdin", "iopub", "hb")
MEGABYTE = 1_000_000
# The kernel queues up to 128 MiB for one client, and a message may have the same size.
QUEUE_LIMIT = MESSAGE_LIMIT = 128 << 20
# In seconds: far more than any answer takes, far less than waiting for a client that doesn't read used to take.
SOON = 5


@pytest.fixture(autouse=True)
def survives(request):
    """Checks that a value set before each test still exists after it, and that every channel works."""
    name = "own_kernel" if "own_kernel" in request.fixturenames else "kernel"
    kernel = request.getfixturevalue(name)
    kernel.ok("let through_the_storm = 8;")
    pid = kernel.manager.provisioner.pid
    yield
    assert kernel.manager.provisioner.pid == pid and kernel.manager.is_alive()
    assert kernel.ok("through_the_storm").result == "8"
    assert_serves_newcomers(kernel)


def assert_serves_newcomers(kernel):
    """Checks that a new client gets answers on shell, control, iopub and the heartbeat."""
    client = BlockingKernelClient()
    client.load_connection_info(kernel.manager.get_connection_info())
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        message_id = client.execute("6 * 7")
        while True:
            message = client.get_iopub_msg(timeout=30)
            if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "execute_result":
                break
        client.control_channel.send(client.session.msg("kernel_info_request", {}))
        assert client.get_control_msg(timeout=30)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
    with bare(kernel, "hb", zmq.REQ) as heart:
        heart.send(b"are you there")
        assert heart.poll(SOON * 1000) and heart.recv() == b"are you there"


def endpoint(kernel, channel: str) -> str:
    info = kernel.manager.get_connection_info()
    port = info[f"{channel}_port"]
    return f"ipc://{info['ip']}-{port}" if info["transport"] == "ipc" else f"tcp://{info['ip']}:{port}"


@contextlib.contextmanager
def bare(kernel, channel: str, kind: int, **options):
    """A bare ZeroMQ socket, without a client around it."""
    bare = zmq.Context.instance().socket(kind)
    for name, value in options.items():
        setattr(bare, name, value)
    bare.connect(endpoint(kernel, channel))
    try:
        yield bare
    finally:
        bare.close(linger=1000)


@contextlib.contextmanager
def tcp(kernel, channel: str, data: bytes = b"", receive_buffer: int | None = None):
    """A TCP connection without ZeroMQ, which first sends `data`."""
    info = kernel.manager.get_connection_info()
    with socket.socket() as connection:
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(SOON * 4)
        connection.connect((info["ip"], info[f"{channel}_port"]))
        connection.sendall(data)
        yield connection


def is_closed(connection: socket.socket) -> bool:
    """Reads until the connection ends; returns False if that does not happen soon."""
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def frame(body: bytes, flags: int = 0) -> bytes:
    if len(body) > 255:
        return struct.pack(">BQ", flags | 2, len(body)) + body
    return bytes([flags, len(body)]) + body


def message(parts: list[bytes]) -> bytes:
    return b"".join(frame(part, flags=part_number < len(parts)) for part_number, part in enumerate(parts, 1))


def ready(socket_type: bytes, identity: bytes = b"") -> bytes:
    body = b"\x05READY"
    for name, value in ((b"Socket-Type", socket_type), (b"Identity", identity)):
        body += bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
    return frame(body, flags=4)


GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
SUBSCRIBE = frame(b"\x01")
PEER = {"shell": b"DEALER", "control": b"DEALER", "stdin": b"DEALER", "iopub": b"SUB", "hb": b"REQ"}


def header(message_type: str, **changes) -> bytes:
    fields = {"msg_id": uuid.uuid4().hex, "session": "raw", "username": "raw", "date": "2020-01-01T00:00:00Z", "msg_type": message_type, "version": "5.4"}
    return json.dumps(fields | changes).encode()


def frames(kernel, header: bytes, content: bytes = b"{}", sign: bool = True) -> list[bytes]:
    parts = [header, b"{}", b"{}", content]
    return [b"<IDS|MSG>", kernel.client.session.sign(parts) if sign else b"0" * 64, *parts]


def receive(bare: zmq.Socket) -> tuple[str, dict]:
    """Returns the next message's type and content."""
    assert bare.poll(30_000), "no message"
    parts = bare.recv_multipart()
    parts = parts[parts.index(b"<IDS|MSG>") :]
    return json.loads(parts[2])["msg_type"], json.loads(parts[5])


def code(text: str) -> bytes:
    return json.dumps({"code": text}).encode()


# Malformed messages.


EXIT = code("std::process::exit(9)")
MALFORMED = {
    "nothing at all": lambda kernel: [b""],
    "noise": lambda kernel: [b"\xff\xfe\x00noise"],
    "no delimiter": lambda kernel: [b"a", b"b", b"c", b"d", b"e", b"f"],
    "two thousand empty frames": lambda kernel: [b""] * 2000,
    "too few frames": lambda kernel: [b"<IDS|MSG>", b"", b"{}"],
    "cut after the header": lambda kernel: frames(kernel, header("execute_request"), EXIT)[:3],
    "cut before the content": lambda kernel: frames(kernel, header("execute_request"), EXIT)[:5],
    "cut within the content": lambda kernel: [*frames(kernel, header("execute_request"), EXIT)[:5], EXIT[:-4]],
    "a wrong signature": lambda kernel: frames(kernel, header("execute_request"), EXIT, sign=False),
    "an empty signature": lambda kernel: [b"<IDS|MSG>", b"", header("execute_request"), b"{}", b"{}", EXIT],
    "a signature that is no hexadecimal": lambda kernel: [b"<IDS|MSG>", "é".encode() * 32, header("kernel_info_request"), b"{}", b"{}", b"{}"],
    "another message's signature": lambda kernel: [*frames(kernel, header("execute_request"), code("1"))[:2], *frames(kernel, header("execute_request"), EXIT)[2:]],
    "a header that is no JSON": lambda kernel: frames(kernel, b"{header"),
    "a header that is no UTF-8": lambda kernel: frames(kernel, header("execute_request").replace(b"raw", b"\xe9\xff"), EXIT),
    "a header without a type": lambda kernel: frames(kernel, b'{"msg_id": "1"}'),
    "a header that is a list": lambda kernel: frames(kernel, b"[1, 2]"),
    "a header whose type is a number": lambda kernel: frames(kernel, b'{"msg_id": "1", "msg_type": 7}'),
    "an unknown type": lambda kernel: frames(kernel, header("make_coffee_request")),
    "a type with a zero in it": lambda kernel: frames(kernel, header("execute_request\0")),
    "a very deep nest": lambda kernel: frames(kernel, header("execute_request"), b"[" * 100_000),
    "a very deep header": lambda kernel: frames(kernel, b'{"msg_type": "execute_request", "a": ' + b"[" * 100_000),
    "fifty megabytes of noise": lambda kernel: [os.urandom(MEGABYTE) * 50],
    "fifty megabytes, wrongly signed": lambda kernel: frames(kernel, header("execute_request"), b" " * (50 * MEGABYTE), sign=False),
}


@pytest.mark.parametrize("make", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_message_is_dropped(kernel, make):
    with bare(kernel, "stdin", zmq.DEALER) as socket:
        socket.send_multipart(make(kernel))
    for channel in ("shell", "control"):
        with bare(kernel, channel, zmq.DEALER) as socket:
            socket.send_multipart(make(kernel))
            # The same connection keeps working, and this is its first reply.
            socket.send_multipart(frames(kernel, header("connect_request")))
            kind, content = receive(socket)
            while content.get("ename") == "ProtocolError":
                kind, content = receive(socket)
            assert (kind, content["status"]) == ("connect_reply", "ok")


@pytest.mark.parametrize("content", [b"{}", b'{"code": 5}', b"[]", b'{"code": "\xff"}', b'{"code": "\\ud800"}', b""])
def test_content_that_does_not_parse_gets_an_error_reply(kernel, content):
    with bare(kernel, "shell", zmq.DEALER) as socket:
        socket.send_multipart(frames(kernel, header("execute_request"), content))
        kind, reply = receive(socket)
    assert (kind, reply["status"]) == ("execute_reply", "error")
    assert reply["evalue"]


def test_a_replayed_message_does_nothing(kernel):
    kernel.ok("let mut replayed = 0;")
    once = frames(kernel, header("execute_request"), code("replayed += 1;"))
    upper = [once[0], once[1].upper(), *once[2:]]
    with bare(kernel, "shell", zmq.DEALER) as first, bare(kernel, "shell", zmq.DEALER) as second, bare(kernel, "control", zmq.DEALER) as control:
        first.send_multipart(once)
        assert receive(first)[1]["status"] == "ok"
        for socket in (first, second, control):
            for again in (once, upper, [b"thief", *once], [*once, b"buffer"]):
                socket.send_multipart(again)
            # The answer comes after those to all earlier requests.
            socket.send_multipart(frames(kernel, header("kernel_info_request")))
            assert receive(socket)[0] == "kernel_info_reply"
    assert kernel.ok("replayed").result == "1"


def test_a_large_message_is_answered(kernel):
    content = json.dumps({"padding": "x" * (50 * MEGABYTE)}).encode()
    with bare(kernel, "shell", zmq.DEALER) as socket:
        socket.send_multipart(frames(kernel, header("kernel_info_request"), content))
        assert receive(socket)[0] == "kernel_info_reply"


# Bytes that are not messages.


TRAFFIC = {
    "a length of exabytes": b"\x02" + struct.pack(">Q", 1 << 62),
    "the largest length": b"\x03" + b"\xff" * 8,
    "a length of a terabyte": b"\x02" + struct.pack(">Q", 1 << 40) + bytes(1000),
    "a command of a gigabyte": b"\x06" + struct.pack(">Q", 1 << 30) + bytes(1000),
    "flags that nobody has": b"\xf8\x01x",
    "a command that goes on": b"\x05\x01x",
    "a command without a name": frame(b"", flags=4),
    "a command shorter than its name": frame(b"\x20PING", flags=4),
    "endless frames": b"\x01\x00" * 100_000,
}
BYTES = {
    "noise": b"\x8f" + os.urandom(5000),
    "zeros": bytes(1000),
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "tls": bytes.fromhex("16030100c4010000c00303"),
    "zmtp 1": b"\x01\x00\x04ping",
    "zmtp 2": b"\xff" + bytes(8) + b"\x7f\x01\x05\x00\x00",
    "another mechanism": GREETING[:12] + b"CURVE" + GREETING[17:],
    "a message before the handshake": GREETING + frame(b"x"),
    "a socket of the wrong type": GREETING + ready(b"PUSH"),
    "a reserved identity": GREETING + ready(b"DEALER", b"\0\0\0\0\x01"),
}


@pytest.mark.parametrize("name", [*BYTES, *TRAFFIC])
def test_garbage_closes_its_own_connection(kernel, name):
    for channel in CHANNELS:
        data = BYTES.get(name) or GREETING + ready(PEER[channel]) + TRAFFIC[name]
        with tcp(kernel, channel) as connection:
            with contextlib.suppress(ConnectionError):  # The connection may end before everything is sent.
                connection.sendall(data)
            assert is_closed(connection), channel


@pytest.mark.parametrize("channel", CHANNELS)
def test_unfinished_business_disturbs_nobody(kernel, channel):
    """Silence, half a greeting, half a message: the connections stay open while others are served."""
    halves = [b"", GREETING[:1], GREETING[:32], GREETING, GREETING + ready(PEER[channel])[:9]]
    halves.append(GREETING + ready(PEER[channel]) + b"\x02" + struct.pack(">Q", 3000) + bytes(10))
    with contextlib.ExitStack() as open_connections:
        for half in halves:
            open_connections.enter_context(tcp(kernel, channel, half))
        assert kernel.ok("through_the_storm + 1").result == "9"
        assert_serves_newcomers(kernel)


def test_a_message_above_the_limit_closes_its_connection(kernel):
    process = psutil.Process(kernel.manager.provisioner.pid)
    before = process.memory_info().rss
    part = frame(bytes(30 * MEGABYTE), flags=1)
    with tcp(kernel, "shell", GREETING + ready(b"DEALER")) as connection, contextlib.suppress(ConnectionError):
        for _ in range(2 * MESSAGE_LIMIT // len(part)):
            connection.sendall(part)
        assert is_closed(connection)
    assert process.memory_info().rss - before < 2 * MESSAGE_LIMIT


@pytest.mark.parametrize("channel", CHANNELS)
def test_connections_that_come_and_go_leave_nothing(kernel, channel):
    process = psutil.Process(kernel.manager.provisioner.pid)
    before = process.num_fds()
    starts = [b"", b"noise", GREETING, GREETING + ready(PEER[channel], b"the same"), GREETING + ready(PEER[channel])]
    for start in itertools.islice(itertools.cycle(starts), 200):
        with tcp(kernel, channel, start):
            pass
    deadline = time.monotonic() + 20
    while process.num_fds() > before + 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert process.num_fds() <= before + 5


@pytest.mark.parametrize("channel", CHANNELS)
def test_too_many_connections_are_refused(kernel, channel):
    """Served connections get a greeting. The number is limited because the rest of the process needs file descriptors too."""
    with contextlib.ExitStack() as left_open:
        connections = [left_open.enter_context(tcp(kernel, channel)) for _ in range(300)]
        served = 0
        for connection in connections:
            with contextlib.suppress(ConnectionError):
                served += bool(connection.recv(1))
        assert 100 <= served <= 128
        assert kernel.ok("through_the_storm + 2").result == "10"


# Clients that don't read.


class Memory(threading.Thread):
    """Watches the peak memory of a process."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.before = self.peak = self.process.memory_info().rss
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.02):
            self.peak = max(self.peak, self.process.memory_info().rss)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    @property
    def growth(self) -> int:
        return self.peak - self.before


def test_a_subscriber_that_reads_nothing_delays_nobody(own_kernel):
    shown = 10 * MEGABYTE
    own_kernel.ok(f'let page = "x".repeat({shown});')
    own_kernel.ok("display(&Html(page.clone()));")
    with Memory(own_kernel.manager.provisioner.pid) as memory, tcp(own_kernel, "iopub", GREETING + ready(b"SUB") + SUBSCRIBE, receive_buffer=4096) as stuck:
        slowest = 0.0
        for _ in range(30):
            result = own_kernel.ok("display(&Html(page.clone()));")
            assert len(result.displays[0]["text/html"]) == shown
            slowest = max(slowest, result.seconds)
        assert slowest < SOON, "the other client waited"
        # The client's queue, the data being written and read, and the allocator's overhead.
        assert memory.growth < QUEUE_LIMIT + 150 * MEGABYTE, memory.growth
        assert is_closed(stuck)
    print(f"slowest cell {slowest:.2f} s, memory grew by {memory.growth / MEGABYTE:.0f} MB while {30 * shown / MEGABYTE:.0f} MB were shown")


def test_a_subscriber_that_vanishes_disturbs_nobody(kernel):
    cell = kernel.send("for n in 0..40 { println!(\"line {n}\"); std::thread::sleep(std::time::Duration::from_millis(50)); }")
    for _ in range(10):
        with tcp(kernel, "iopub", GREETING + ready(b"SUB") + SUBSCRIBE) as subscriber:
            subscriber.recv(200)
            # Closing resets the connection, so the kernel sees an error instead of an end.
            subscriber.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    result = kernel.finish(cell)
    assert result.stdout == "".join(f"line {n}\n" for n in range(40))
    assert result.seconds < 2 + SOON


def test_a_client_that_reads_no_replies_delays_nobody(kernel):
    """The replies are as long as the requests, because each error quotes the request."""
    with Memory(kernel.manager.provisioner.pid) as memory, tcp(kernel, "shell", GREETING + ready(b"DEALER"), receive_buffer=4096) as deaf:
        deaf.settimeout(60)
        slowest = 0.0
        sent = 0
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                content = json.dumps("x" * (4 * MEGABYTE)).encode()
                deaf.sendall(message(frames(kernel, header("execute_request"), content)))
                sent += 1
                started = time.monotonic()
                reply = kernel.reply(kernel.client.kernel_info(), 30)
                assert reply["status"] == "ok"
                slowest = max(slowest, time.monotonic() - started)
        assert sent < 100, "its replies were kept"
        assert slowest < SOON, "the other client waited"
        assert memory.growth < QUEUE_LIMIT + 150 * MEGABYTE, memory.growth
    print(f"closed after {sent} requests, slowest other reply {slowest:.2f} s, memory grew by {memory.growth / MEGABYTE:.0f} MB")


def test_a_flood_of_requests_delays_nobody(kernel):
    with bare(kernel, "shell", zmq.DEALER, sndhwm=0) as flood:
        for _ in range(3000):
            flood.send_multipart(frames(kernel, header("kernel_info_request")))
        started = time.monotonic()
        message = kernel.client.session.msg("kernel_info_request", {})
        kernel.client.control_channel.send(message)
        assert kernel.client.get_control_msg(timeout=30)["parent_header"]["msg_id"] == message["header"]["msg_id"]
        assert time.monotonic() - started < 2 * SOON
        for _ in range(3000):
            assert receive(flood)[0] == "kernel_info_reply"


# Clients that come back.


def test_a_client_that_reconnects_is_answered(kernel):
    """It uses its old identity, after closing its old connection or while that is still open, or new identities."""
    with contextlib.ExitStack() as left_open:
        for n in range(30):
            identity = [b"the same", uuid.uuid4().bytes.replace(b"\0", b"0"), b""][n % 3]
            connection = left_open.enter_context(tcp(kernel, "shell", GREETING + ready(b"DEALER", identity)))
            connection.sendall(message(frames(kernel, header("connect_request"))))
            heard = b""
            while b"connect_reply" not in heard:
                received = connection.recv(65536)
                assert received, "closed without a reply"
                heard += received
            if n % 2:
                connection.close()


def test_clients_of_the_same_name_each_get_their_replies(kernel):
    """Two clients of one KernelManager have the same identity. Neither displaces the other."""
    with bare(kernel, "shell", zmq.DEALER, identity=b"twin") as one, bare(kernel, "shell", zmq.DEALER, identity=b"twin") as other:
        for n in range(20):
            socket = (one, other)[n % 2]
            socket.send_multipart(frames(kernel, header("connect_request")))
            assert receive(socket)[0] == "connect_reply"


def test_a_reconnecting_subscriber_is_welcomed(kernel):
    for n in range(20):
        topic = [b"", b"kernel.", b"\xff\x00"][n % 3]
        with bare(kernel, "iopub", zmq.SUB) as subscriber:
            subscriber.subscribe(topic)
            kind, content = receive(subscriber)
            assert (kind, content["subscription"]) == ("iopub_welcome", topic.decode(errors="replace"))


def test_topics(kernel):
    with bare(kernel, "iopub", zmq.SUB) as all_of_it, bare(kernel, "iopub", zmq.SUB) as none_of_it:
        for subscriber, topic in ((all_of_it, b"kernel."), (none_of_it, b"kernel.x")):
            subscriber.subscribe(topic)
            assert receive(subscriber)[0] == "iopub_welcome"
        kernel.ok('println!("to whom it may concern");')
        kinds = []
        while kinds.count("status") < 2:
            kinds.append(receive(all_of_it)[0])
        assert kinds == ["status", "execute_input", "stream", "status"]
        assert not none_of_it.poll(300)
        all_of_it.unsubscribe(b"kernel.")
        all_of_it.subscribe(b"other")
        assert receive(all_of_it)[0] == "iopub_welcome"
        kernel.ok("1")
        assert not all_of_it.poll(300)


# Unix sockets.


@pytest.fixture
def ipc_folder():
    # A socket's path is limited to about a hundred characters, and pytest's folders are too long for that.
    folder = Path(tempfile.mkdtemp(prefix="swath-ipc-"))
    yield folder
    shutil.rmtree(folder)


def ipc_manager(folder: Path) -> KernelManager:
    return KernelManager(kernel_name=KERNEL_NAME, transport="ipc", connection_file=str(folder / "kernel.json"))


def sockets(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_socket())


def test_unix_sockets(kernelspec, ipc_folder):
    manager = ipc_manager(ipc_folder)
    with running_kernel(str(ipc_folder), manager) as kernel:
        assert len(sockets(ipc_folder)) == 5
        assert all((ipc_folder / name).stat().st_mode & 0o077 == 0 for name in sockets(ipc_folder))
        kernel.ok("let kept = vec![1, 2];")
        nap = "fn nap(n: u64) -> u64 { std::thread::sleep(std::time::Duration::from_millis(50)); n }"
        cell = kernel.send(nap + 'println!("started"); (0..2000).map(|n| delayed(nap).call(n).compute().unwrap()).sum::<u64>()')
        while kernel.iopub(timeout=60)["msg_type"] != "stream":
            pass
        manager.interrupt_kernel()
        assert kernel.finish(cell).reply["status"] == "error"
        assert kernel.ok("kept").result == "[1, 2]"
        with bare(kernel, "hb", zmq.REQ) as heart:
            heart.send(b"x")
            assert heart.poll(SOON * 1000)
        # Checked before the manager cleans up: the kernel itself removes the sockets.
        process = psutil.Process(manager.provisioner.pid)
        kernel.client.shutdown()
        process.wait(timeout=20)
        assert sockets(ipc_folder) == []


def test_unix_sockets_that_a_killed_kernel_left(kernelspec, ipc_folder):
    manager = ipc_manager(ipc_folder)
    manager.start_kernel(cwd=str(ipc_folder))
    try:
        Kernel(manager, str(ipc_folder)).ok("1")
        os.kill(manager.provisioner.pid, signal.SIGKILL)
        while manager.is_alive():
            time.sleep(0.05)
        assert len(sockets(ipc_folder)) == 5
        manager.restart_kernel(now=True)
        kernel = Kernel(manager, str(ipc_folder))
        assert kernel.ok("2 + 2").result == "4"
        kernel.stop()
    finally:
        if manager.has_kernel:
            manager.shutdown_kernel(now=True)
    assert sockets(ipc_folder) == []


def test_a_subscriber_that_reads_misses_nothing_at_the_end(kernelspec, tmp_path):
    """Most of the output is still in the kernel when the shutdown request arrives."""
    with running_kernel(str(tmp_path)) as kernel, bare(kernel, "iopub", zmq.SUB, rcvhwm=1, rcvbuf=4096) as subscriber:
        subscriber.subscribe(b"")
        assert receive(subscriber)[0] == "iopub_welcome"
        kernel.ok(f'for n in 0..10 {{ display(&Html(format!("{{n}}{{}}", "x".repeat({MEGABYTE})))); }}')
        kernel.client.shutdown()
        pages, kind = [], ""
        while kind != "shutdown_reply":
            kind, content = receive(subscriber)
            if kind == "display_data":
                pages.append(content["data"]["text/html"][0])
        assert pages == list("0123456789")
