"""Comms: messages between clients and cells, in both directions, also while a cell runs.

The kernel's own part is tested with a scripted evaluator in kernel/src/session/tests.rs.
"""

import time
import uuid

import pytest

ADDER = """
comm_target("adder", |comm, opening| {
    let start = opening.data["start"].as_i64().unwrap_or(0);
    let answers = comm.clone();
    comm.on_message(move |message| {
        let sum = start + message.data["numbers"].as_array().map_or(0, |all| all.iter().filter_map(|n| n.as_i64()).sum());
        let mut answer = CommMessage::from(json!({ "sum": sum }));
        answer.buffers = message.buffers.iter().map(|buffer| buffer.iter().rev().copied().collect()).collect();
        answer.metadata = message.metadata;
        answers.send(answer).unwrap();
    });
    comm.on_close(|message| std::fs::write("closed", json!([message.data, message.metadata]).to_string()).unwrap());
});
"""


class Comm:
    """The client's end."""

    def __init__(self, kernel, target: str = "", comm_id: str | None = None, data: dict | None = None):
        self.kernel = kernel
        self.id = comm_id or uuid.uuid4().hex
        if comm_id is None:
            self.send("comm_open", {"target_name": target, "data": data or {}})

    def send(self, kind: str, content: dict, buffers: list[bytes] | None = None, metadata: dict | None = None) -> None:
        session = self.kernel.client.session
        message = session.msg(kind, {"comm_id": self.id, **content}, metadata=metadata)
        session.send(self.kernel.client.shell_channel.socket, message, buffers=buffers)

    def say(self, data: dict, buffers: list[bytes] | None = None, metadata: dict | None = None) -> None:
        self.send("comm_msg", {"data": data}, buffers, metadata)

    def next(self, kind: str = "comm_msg", timeout: float = 20) -> dict:
        """Returns the kernel's next message on this comm."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.kernel.iopub(timeout=max(0.1, deadline - time.monotonic()))
            if message["msg_type"].startswith("comm_") and message["content"]["comm_id"] == self.id:
                assert message["msg_type"] == kind, message["content"]
                return message


def info(kernel, **content) -> dict:
    message = kernel.client.session.msg("comm_info_request", content)
    kernel.client.shell_channel.send(message)
    return kernel.reply(message["header"]["msg_id"], 20)["comms"]


@pytest.fixture
def adder(kernel):
    kernel.ok(ADDER)
    return kernel


def test_a_client_opens_a_comm_and_is_answered(adder):
    comm = Comm(adder, "adder", data={"start": 100})
    comm.say({"numbers": [1, 2, 3]}, [b"abc", bytes(range(256))])
    answer = comm.next()
    assert answer["content"]["data"] == {"sum": 106}
    assert [bytes(buffer) for buffer in answer["buffers"]] == [b"cba", bytes(reversed(range(256)))]


def test_metadata_go_both_ways(adder):
    comm = Comm(adder, "adder")
    comm.say({"numbers": [1]}, metadata={"version": "2.1.0"})
    assert comm.next()["metadata"]["version"] == "2.1.0"


def test_messages_both_ways_while_a_cell_runs(adder):
    comm = Comm(adder, "adder")
    cell = adder.send('println!("started"); std::thread::sleep(std::time::Duration::from_secs(3));')
    while adder.iopub(timeout=60)["msg_type"] != "stream":
        pass
    asked = time.monotonic()
    for n in range(20):
        comm.say({"numbers": [n]})
        assert comm.next()["content"]["data"] == {"sum": n}
    assert time.monotonic() - asked < 2.5, "answered only after the cell"
    assert adder.finish(cell).ok


def test_a_cell_opens_a_comm_and_is_answered(kernel):
    cell = kernel.send(
        'let comm = Comm::open("page", json!({"rows": 3}))?;\n'
        "let (told, hears) = std::sync::mpsc::channel();\n"
        "comm.on_message(move |message| told.send(message.data).unwrap());\n"
        'println!("{}", hears.recv()?["text"]);'
    )
    while True:
        message = kernel.iopub(timeout=60)
        if message["msg_type"] == "comm_open":
            break
    assert message["content"]["target_name"] == "page"
    assert message["content"]["data"] == {"rows": 3}
    assert message["parent_header"]["msg_id"] == cell
    Comm(kernel, comm_id=message["content"]["comm_id"]).say({"text": "hello"})
    assert kernel.finish(cell).stdout == '"hello"\n'


def test_what_is_open(adder):
    comm = Comm(adder, "adder")
    assert info(adder, target_name="adder")[comm.id] == {"target_name": "adder"}
    assert comm.id in info(adder)
    assert info(adder, target_name="other") == {}
    comm.send("comm_close", {"data": {"why": "done"}})
    assert comm.id not in info(adder)
    adder.ok('while !std::path::Path::new("closed").exists() { sleep(std::time::Duration::from_millis(10))?; }')
    assert "done" in adder.ok('std::fs::read_to_string("closed")?').result


def test_a_cell_closes_a_comm(adder):
    adder.ok('comm_target("brief", |comm, _| comm.close(json!({"bye": true})));')
    comm = Comm(adder, "brief")
    assert comm.next("comm_close")["content"]["data"] == {"bye": True}
    assert comm.id not in info(adder)


def test_a_target_that_was_removed(adder):
    adder.ok('remove_comm_target("adder");')
    Comm(adder, "adder").next("comm_close")


def test_a_handler_that_panics_says_so_and_lives_on(kernel):
    kernel.ok(
        'comm_target("odd", |comm, _| { let answers = comm.clone(); comm.on_message(move |message| {\n'
        '    assert!(message.data["n"].as_i64().unwrap() % 2 == 1, "even");\n'
        "    answers.send(message.data).unwrap();\n"
        "}); });"
    )
    comm = Comm(kernel, "odd")
    comm.say({"n": 2})
    while True:
        message = kernel.iopub(timeout=20)
        if message["msg_type"] == "stream":
            break
    assert "odd" in message["content"]["text"] and "even" in message["content"]["text"]
    comm.say({"n": 3})
    assert comm.next()["content"]["data"] == {"n": 3}


def test_the_end_of_the_process_closes_all_comms(own_kernel):
    own_kernel.ok(ADDER)
    comm = Comm(own_kernel, "adder")
    own_kernel.ok("1")
    own_kernel.run("std::process::abort()")
    assert info(own_kernel) == {}
    again = Comm(own_kernel, "adder")
    again.next("comm_close")
    assert comm.id != again.id


def test_there_is_nobody_to_send_to(kernel):
    kernel.fails(
        'let comm = Comm::open("page", json!({}))?; comm.close(()); comm.send(json!(1))?;', "page", "closed"
    )
