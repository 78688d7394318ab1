"""The messaging protocol: Jupyter's own suite with every sample set, and further tests."""

import json
import queue
import time
import uuid
from pathlib import Path

import jupyter_kernel_test
import psutil
import pytest
import zmq
from jupyter_client import BlockingKernelClient, KernelManager

from kernel import KERNEL_NAME, running_kernel


class SwathTests(jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL_NAME
    language_name = "rust"
    file_extension = ".rs"
    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("to stderr");'
    completion_samples = [
        {"text": "std::process::exi"},
        {"text": "let numbers: Vec<i32> = Vec::with_cap"},
        # An offset counts characters, not bytes.
        {"text": 'let größe = "日本 🗾"; std::process::exi'},
    ]
    complete_code_samples = [
        "1 + 1",
        "let x = 1;",
        "fn f() -> i32 {\n    1\n}",
        ":vars",
        "// a comment",
        "",
        'let s = "a { in text";',
        "let r = r#\"a \" in raw text\"#;",
        "for n in 0..3 {\n    println!(\"{n}\");\n}",
    ]
    incomplete_code_samples = [
        "fn f() {",
        "let x =",
        "vec![1, 2,",
        "for n in 0..3 {\n    if n == 1 {",
        'let s = "no end',
        "/* no end",
        "foo(",
        "let v: Vec<i32> = (0..3)\n    .map(|n| {",
    ]
    invalid_code_samples = [
        "fn f() }",
        "let x = );",
        "vec![1, 2)",
        "let let x = 1;",
    ]
    code_page_something = "?std::process::exit"
    code_generate_error = 'panic!("as it should")'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "let celsius = 21.5; celsius * 2.0", "result": "43.0"},
        {"code": '"text"', "result": '"text"'},
        {"code": "vec![1, 2, 3]", "result": "[1, 2, 3]"},
    ]
    code_display_data = [
        {"code": 'display(&Html("<b>bold</b>"));', "mime": "text/html"},
        {"code": 'display(&Html("<b>bold</b>"));', "mime": "text/plain"},
        {"code": 'display(&Markdown("**bold**"));', "mime": "text/markdown"},
        {"code": "display(&vec![1, 2]);", "mime": "text/plain"},
    ]
    code_history_pattern = "*celsius*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "std::process::exit"
    code_clear_output = "clear_output(false);"

    def setUp(self):
        # The suite allows a tenth of a second between messages, so it must not measure
        # the first cell's compilation.
        if not getattr(type(self), "warm", False):
            self.execute_helper("1 + 1", timeout=60)
            # Nor the loading of the analyzer, before which only names are completed.
            while not self.kc.complete("std::process::exi", 17, reply=True, timeout=60)["content"]["matches"]:
                time.sleep(0.2)
            type(self).warm = True

    def test_compile_error_is_one_message(self):
        self.flush_channels()
        reply, output_messages = self.execute_helper("let x: i32 = \"text\";")
        self.assertEqual(reply["content"]["status"], "error")
        self.assertEqual([message["msg_type"] for message in output_messages], ["error"])

    def test_every_sample_is_set(self):
        """The suite skips samples that are not set. None may be skipped."""
        for name in dir(jupyter_kernel_test.KernelTests):
            if name.startswith("code_") or name.endswith(("_samples", "_operations")):
                self.assertTrue(getattr(self, name), name)


class SwathIopubWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = KERNEL_NAME
    support_iopub_welcome = True


def shell(kernel, message_type: str, content: dict, timeout: float = 30) -> dict:
    """Sends any request and returns its reply's content."""
    message = kernel.client.session.msg(message_type, content)
    kernel.client.shell_channel.send(message)
    return kernel.reply(message["header"]["msg_id"], timeout)


def test_kernel_info(kernel):
    info = shell(kernel, "kernel_info_request", {})
    assert info["status"] == "ok"
    assert tuple(map(int, info["protocol_version"].split("."))) >= (5, 3)
    assert info["implementation"] == "swath"
    language = info["language_info"]
    assert (language["name"], language["mimetype"]) == ("rust", "text/x-rustsrc")
    assert language["version"].startswith("1.")
    assert "Swath" in info["banner"]


def test_the_first_cell_is_number_one(own_kernel):
    first, second = own_kernel.ok("let a = 1;"), own_kernel.ok("a")
    assert (first.reply["execution_count"], second.reply["execution_count"]) == (1, 2)
    assert second.of_type("execute_result")[0]["execution_count"] == 2


def test_a_silent_cell_neither_counts_nor_shows(kernel):
    before = kernel.ok("1 + 1").reply["execution_count"]
    silent = kernel.ok("let quiet = 5; quiet", silent=True)
    assert silent.outputs == []
    after = kernel.ok("quiet")
    assert (after.result, after.reply["execution_count"]) == ("5", before + 1)


def test_a_cell_that_is_not_stored_is_not_in_the_history(kernel):
    kernel.ok("let unstored_marker = 1;", store_history=False)
    kernel.ok("let stored_marker = 1;")
    history = shell(kernel, "history_request", {"hist_access_type": "tail", "n": 50, "raw": True, "output": False})
    lines = [line for _, _, line in history["history"]]
    assert "let stored_marker = 1;" in lines
    assert "let unstored_marker = 1;" not in lines


def test_user_expressions(kernel):
    kernel.ok("let base = 20;")
    reply = kernel.ok("let more = 1;", user_expressions={"sum": "base + more", "bad": "no_such_name"}).reply
    assert reply["user_expressions"]["sum"]["status"] == "ok"
    assert reply["user_expressions"]["sum"]["data"]["text/plain"] == "21"
    assert reply["user_expressions"]["bad"]["status"] == "error"
    assert kernel.ok("1").reply["user_expressions"] == {}


def test_after_an_error_the_queue_is_aborted(kernel):
    """Run All sends every cell at once, so cells after a failing one must not run."""
    sent = [kernel.send(code) for code in ("let queued = 1;", 'panic!("stop here")', "let queued = 2;", "queued")]
    statuses = [kernel.reply(message_id, 60)["status"] for message_id in sent]
    assert statuses == ["ok", "error", "aborted", "aborted"]
    time.sleep(0.5)  # The queue accepts cells again a moment after the failing one.
    assert kernel.ok("queued").result == "1"


def test_after_an_error_the_queue_goes_on_if_asked(kernel):
    first = kernel.send('panic!("never mind")', stop_on_error=False)
    second = kernel.send("40 + 2")
    assert kernel.reply(first, 60)["status"] == "error"
    assert kernel.finish(second).result == "42"


def test_busy_and_idle_around_every_request(kernel):
    kernel.ok("1")
    for message_type, content in (
        ("kernel_info_request", {}),
        ("complete_request", {"code": "std::process::exi", "cursor_pos": 17}),
        ("is_complete_request", {"code": "1"}),
        ("history_request", {"hist_access_type": "tail", "n": 1, "raw": True, "output": False}),
        ("comm_info_request", {}),
    ):
        message = kernel.client.session.msg(message_type, content)
        kernel.client.shell_channel.send(message)
        states = []
        while len(states) < 2:
            seen = kernel.iopub(timeout=30)
            if seen["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                states.append(seen["content"]["execution_state"])
        assert states == ["busy", "idle"], message_type
        kernel.reply(message["header"]["msg_id"], 30)


def test_requests_are_answered_while_a_cell_runs(kernel):
    kernel.ok("let mut counted = 0;")
    kernel.wait_for_analyzer()
    cell = kernel.send("std::thread::sleep(std::time::Duration::from_secs(6));")
    started = time.monotonic()
    message = kernel.client.session.msg("kernel_info_request", {})
    kernel.client.control_channel.send(message)
    reply = kernel.client.get_control_msg(timeout=3)
    assert reply["msg_type"] == "kernel_info_reply"
    asked = kernel.client.complete("std::process::exi", 17)
    assert "exit" in kernel.reply(asked, 5)["matches"]
    assert time.monotonic() - started < 5.5, "the reply waited for the cell"
    assert kernel.finish(cell).ok


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("std::process::exi", "", "exit"),
        ("let words: Vec<i32> = Vec::with_cap", "(3);", "with_capacity"),
        ("let größe = \"日本 🗾\"; größe.to_upper", "", "to_uppercase"),
        ("Array::<f64>::one", "((2, 2), (1, 1))", "ones"),
        ("read_cs", "", "read_csv"),
        (":var", "", ":vars"),
    ],
)
def test_completion(kernel, before, after, expected):
    kernel.wait_for_analyzer()
    reply = shell(kernel, "complete_request", {"code": before + after, "cursor_pos": len(before)}, timeout=60)
    assert reply["status"] == "ok"
    matches = [match.split("(")[0] for match in reply["matches"]]
    assert expected in matches
    code = before + after
    completed = code[: reply["cursor_start"]] + expected
    assert completed.startswith(before), f"{completed!r} is not {before!r} completed"
    assert reply["cursor_end"] >= len(before)


def test_completion_knows_variables(kernel):
    kernel.wait_for_analyzer()
    kernel.ok("let wavelength: Vec<f64> = vec![];")
    reply = shell(kernel, "complete_request", {"code": "wavele", "cursor_pos": 6}, timeout=60)
    assert "wavelength" in reply["matches"]
    reply = shell(kernel, "complete_request", {"code": "wavelength.is_emp", "cursor_pos": 17}, timeout=60)
    assert "is_empty" in [match.split("(")[0] for match in reply["matches"]]


def test_completion_of_nothing_known(kernel):
    kernel.wait_for_analyzer()
    reply = shell(kernel, "complete_request", {"code": "qqqzzzxxx", "cursor_pos": 9}, timeout=60)
    assert (reply["status"], reply["matches"]) == ("ok", [])


def test_inspection_shows_documentation(kernel):
    kernel.wait_for_analyzer()
    code = "let v: Vec<i32> = Vec::with_capacity(3);"
    reply = shell(kernel, "inspect_request", {"code": code, "cursor_pos": code.index("capacity"), "detail_level": 0}, 60)
    assert reply["found"]
    assert "with_capacity" in reply["data"]["text/plain"]
    assert "capacity" in reply["data"]["text/plain"].split("with_capacity", 1)[1]


def test_inspection_of_nothing_known(kernel):
    kernel.wait_for_analyzer()
    reply = shell(kernel, "inspect_request", {"code": "qqqzzzxxx", "cursor_pos": 4, "detail_level": 0}, 60)
    assert (reply["status"], reply["found"], reply["data"]) == ("ok", False, {})


def test_incomplete_code_gets_an_indent(kernel):
    reply = shell(kernel, "is_complete_request", {"code": "fn f() {\n    if true {"})
    assert (reply["status"], reply["indent"]) == ("incomplete", " " * 8)


def test_a_comm_to_nowhere_is_closed(kernel):
    comm = uuid.uuid4().hex
    message = kernel.client.session.msg("comm_open", {"comm_id": comm, "target_name": "nowhere", "data": {}})
    kernel.client.shell_channel.send(message)
    while True:
        seen = kernel.iopub(timeout=10)
        if seen["msg_type"] == "comm_close":
            break
    assert seen["content"]["comm_id"] == comm
    assert shell(kernel, "comm_info_request", {}) == {"status": "ok", "comms": {}}


def test_the_heartbeat_echoes(kernel):
    info = kernel.manager.get_connection_info()
    socket = zmq.Context.instance().socket(zmq.REQ)
    try:
        socket.connect(f"tcp://{info['ip']}:{info['hb_port']}")
        socket.send(b"are you there")
        assert socket.poll(3000)
        assert socket.recv() == b"are you there"
    finally:
        socket.close(linger=0)


def test_connect(kernel):
    info = kernel.manager.get_connection_info()
    reply = shell(kernel, "connect_request", {})
    for port in ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port"):
        assert reply[port] == info[port]


def test_headers_are_the_kernels_own(kernel):
    """JupyterLab uses the session in the headers as the kernel's identity."""
    message_id = kernel.send("let own_headers = 1;")
    headers = []
    while True:
        message = kernel.iopub(timeout=30)
        if message["parent_header"].get("msg_id") != message_id:
            continue
        headers.append(message["header"])
        if message["content"].get("execution_state") == "idle":
            break
    kernel.reply(message_id, 10)
    assert {header["session"] for header in headers} != {kernel.client.session.session}
    assert len({header["session"] for header in headers}) == 1
    assert len({header["msg_id"] for header in headers}) == len(headers)


def test_two_clients_see_each_others_cells(kernel):
    # With a separate session, like a second browser.
    other = BlockingKernelClient()
    other.load_connection_info(kernel.manager.get_connection_info())
    other.start_channels()
    try:
        other.wait_for_ready(timeout=30)
        kernel.ok("let shared_value = 33;")
        message_id = other.execute("shared_value")
        while True:
            message = other.get_iopub_msg(timeout=30)
            if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "execute_result":
                break
        assert message["content"]["data"]["text/plain"] == "33"
        while True:  # The first client sees it too.
            message = kernel.iopub(timeout=30)
            if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "execute_input":
                break
    finally:
        other.stop_channels()


# Start, restart and end.


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def test_shutdown_leaves_no_process(kernelspec, tmp_path):
    with running_kernel(str(tmp_path)) as kernel:
        kernel.ok("let working = 1;")
        pid = kernel.manager.provisioner.pid
        family = [psutil.Process(pid), *descendants(pid)]
        assert len(family) >= 2, "the runtime has no process of its own"
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_a_killed_kernel_leaves_no_process(kernelspec, tmp_path):
    manager = KernelManager(kernel_name=KERNEL_NAME)
    manager.start_kernel(cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    client.execute("let working = 1;")
    client.get_shell_msg(timeout=60)
    family = descendants(manager.provisioner.pid)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_restart_begins_anew(own_kernel):
    own_kernel.ok("let old_life = 1;")
    own_kernel.manager.restart_kernel()
    own_kernel.client.wait_for_ready(timeout=60)
    own_kernel.fails("old_life", "old_life")
    assert own_kernel.ok("1 + 1").result == "2"


def test_the_connection_file_is_nobody_elses(own_kernel):
    assert Path(own_kernel.manager.connection_file).stat().st_mode & 0o077 == 0


def test_a_kernel_is_ready_soon(kernelspec, tmp_path):
    """A limit, not a benchmark: kernel_info must be answered while the runtime is still starting."""
    started = time.monotonic()
    with running_kernel(str(tmp_path)):
        assert time.monotonic() - started < 10


def test_one_thousand_messages_are_not_lost(kernel):
    result = kernel.ok('for n in 0..1000 { display(&Html(format!("<i>{n}</i>"))); }')
    assert [data["text/html"] for data in result.displays] == [f"<i>{n}</i>" for n in range(1000)]


def test_no_output_comes_after_idle(kernel):
    for n in range(20):
        kernel.ok(f'println!("line {n}");')
    with pytest.raises(queue.Empty):
        kernel.iopub(timeout=0.3)
