//! Tests of sessions over real sockets, with a scripted evaluator.

mod client;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use client::Client;

/// Checks a request's broadcasts in short form: `busy`, `input`, `out:text`,
/// `err:text`, `display:text`, `update:text`, `clear`, `result:text`,
/// `error:name`, `idle`.
async fn check(code: &str, expect: &[&str]) {
    let mut client = Client::start().await;
    let id = client.execute(code).await;
    assert_eq!(client.broadcasts(&id).await, expect);
    client.shutdown().await;
}

#[tokio::test]
async fn a_result() {
    check("1 + 1", &["busy", "input", "result:1 + 1", "idle"]).await;
}

#[tokio::test]
async fn an_error_is_one_message() {
    check("error no", &["busy", "input", "error:Fake", "idle"]).await;
}

#[tokio::test]
async fn nothing_to_do() {
    check("  \n", &["busy", "input", "idle"]).await;
}

#[tokio::test]
async fn output_keeps_its_order() {
    check(
        "print a\nprint b\neprint c\ndisplay 1 d\nprint e\nupdate 1 f\nclear\nprint g",
        &[
            "busy",
            "input",
            "out:a\nb\n",
            "err:c\n",
            "display:d",
            "out:e\n",
            "update:f",
            "clear",
            "out:g\n",
            "idle",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_character_may_be_cut_in_two() {
    check(
        "bytes e2 82\nsleep 60\nbytes ac\nbytes ff",
        &["busy", "input", "out:€\u{fffd}", "idle"],
    )
    .await;
}

#[tokio::test]
async fn partial_lines_appear_while_the_cell_runs() {
    let mut client = Client::start().await;
    let start = Instant::now();
    let id = client.execute("bytes 45\nsleep 1000").await;
    while client.broadcast().await.short() != "out:E" {}
    assert!(
        start.elapsed() < Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );
    client.broadcasts(&id).await;
    client.shutdown().await;
}

#[tokio::test]
async fn what_evcxr_crates_print_is_a_display() {
    check(
        "print EVCXR_BEGIN_CONTENT text/plain\nprint rich\nprint EVCXR_END_CONTENT\nprint x",
        &["busy", "input", "display:rich", "out:x\n", "idle"],
    )
    .await;
}

#[tokio::test]
async fn everything_but_execute_is_answered_while_a_cell_runs() {
    let mut client = Client::start().await;
    let cell = client.execute("sleep 700\nprint done").await;
    let start = Instant::now();
    for (request, content) in [
        ("kernel_info_request", json!({})),
        ("complete_request", json!({"code": "numb", "cursor_pos": 4})),
        (
            "inspect_request",
            json!({"code": "numbers", "cursor_pos": 3, "detail_level": 0}),
        ),
        ("is_complete_request", json!({"code": "fn f() {"})),
        (
            "history_request",
            json!({"hist_access_type": "tail", "n": 3, "output": true, "raw": true}),
        ),
        ("comm_info_request", json!({})),
        ("connect_request", json!({})),
    ] {
        let id = client.request(request, content).await;
        let reply = client.reply(&id).await;
        assert_eq!(
            reply["status"],
            if request.starts_with("is_") {
                json!("incomplete")
            } else {
                json!("ok")
            }
        );
    }
    assert!(
        start.elapsed() < Duration::from_millis(500),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(client.reply(&cell).await["status"], "ok");
    client.shutdown().await;
}

#[tokio::test]
async fn an_error_aborts_what_is_queued_and_nothing_later() {
    let mut client = Client::start().await;
    let mut ids = Vec::new();
    for code in ["print a", "error no", "print b", "print c"] {
        ids.push(client.execute(code).await);
    }
    let mut statuses = Vec::new();
    for id in &ids {
        statuses.push(client.reply(id).await["status"].clone());
    }
    assert_eq!(statuses, ["ok", "error", "aborted", "aborted"]);
    assert_eq!(client.broadcasts(&ids[2]).await, ["busy", "idle"]);
    let later = client.execute("print d").await;
    let reply = client.reply(&later).await;
    assert_eq!(reply["status"], "ok");
    assert_eq!(reply["execution_count"], 3);
    client.shutdown().await;
}

#[tokio::test]
async fn without_stop_on_error_the_queue_goes_on() {
    let mut client = Client::start().await;
    let failing = client
        .request(
            "execute_request",
            json!({"code": "error no", "stop_on_error": false}),
        )
        .await;
    let next = client.execute("1").await;
    assert_eq!(client.reply(&failing).await["status"], "error");
    assert_eq!(client.reply(&next).await["status"], "ok");
    client.shutdown().await;
}

#[tokio::test]
async fn silent_shows_and_counts_nothing() {
    let mut client = Client::start().await;
    let silent = client
        .request(
            "execute_request",
            json!({"code": "print a\n1", "silent": true}),
        )
        .await;
    assert_eq!(client.reply(&silent).await["execution_count"], 0);
    assert_eq!(client.broadcasts(&silent).await, ["busy", "idle"]);
    let unstored = client
        .request(
            "execute_request",
            json!({"code": "1", "store_history": false}),
        )
        .await;
    assert_eq!(client.reply(&unstored).await["execution_count"], 0);
    let first = client.execute("2").await;
    assert_eq!(client.reply(&first).await["execution_count"], 1);
    let history = client
        .request(
            "history_request",
            json!({"hist_access_type": "tail", "n": 9}),
        )
        .await;
    assert_eq!(
        client.reply(&history).await["history"],
        json!([[1, 1, "2"]])
    );
    client.shutdown().await;
}

#[tokio::test]
async fn user_expressions_are_evaluated_after_a_good_cell() {
    let mut client = Client::start().await;
    let request = |code: &str| json!({"code": code, "user_expressions": {"a": "1 + 1", "b": "error no", "c": 3}});
    let good = client.request("execute_request", request("print x")).await;
    let expressions = client.reply(&good).await["user_expressions"].clone();
    assert_eq!(expressions["a"]["status"], "ok");
    assert_eq!(expressions["a"]["data"]["text/plain"], "1 + 1");
    assert_eq!(expressions["b"]["ename"], "Fake");
    assert_eq!(expressions["c"]["status"], "error");
    let bad = client.request("execute_request", request("error no")).await;
    assert_eq!(client.reply(&bad).await["user_expressions"], json!({}));
    assert_eq!(
        client.broadcasts(&good).await,
        ["busy", "input", "out:x\n", "idle"]
    );
    client.shutdown().await;
}

#[tokio::test]
async fn input_and_password() {
    let mut client = Client::start().await;
    let id = client.execute("input Name: \npassword Key: ").await;
    for (prompt, password) in [("Name: ", false), ("Key: ", true)] {
        let question = client.question().await;
        assert_eq!(question, json!({"prompt": prompt, "password": password}));
        client.answer("é").await;
    }
    assert_eq!(client.reply(&id).await["status"], "ok");
    assert_eq!(
        client.broadcasts(&id).await,
        ["busy", "input", "out:got é\ngot é\n", "idle"]
    );
    let deaf = client
        .request(
            "execute_request",
            json!({"code": "input Name: ", "allow_stdin": false}),
        )
        .await;
    assert_eq!(client.reply(&deaf).await["status"], "ok");
    client.shutdown().await;
}

#[tokio::test]
async fn a_marker_and_the_reading_that_follows_are_one_question() {
    let mut client = Client::start().await;
    let code = "print EVCXR_INPUT_REQUEST:Name?\nsleep 100\ninput nobody sees this";
    let id = client.execute(code).await;
    assert_eq!(client.question().await["prompt"], "Name?");
    tokio::time::sleep(Duration::from_millis(200)).await;
    client.answer("é").await;
    assert_eq!(client.reply(&id).await["status"], "ok");
    assert_eq!(
        client.broadcasts(&id).await,
        ["busy", "input", "out:got é\n", "idle"]
    );
    let again = client.execute("input Again?").await;
    assert_eq!(client.question().await["prompt"], "Again?");
    client.answer("x").await;
    assert_eq!(client.reply(&again).await["status"], "ok");
    client.shutdown().await;
}

#[tokio::test]
async fn an_interrupt_ends_the_cell_and_aborts_the_queue() {
    let mut client = Client::start().await;
    let cell = client.execute("sleep 60000").await;
    let queued = client.execute("1").await;
    client.broadcast_until("input").await;
    let interrupt = client.control("interrupt_request", json!({})).await;
    assert_eq!(client.control_reply(&interrupt).await["status"], "ok");
    assert_eq!(client.reply(&cell).await["ename"], "Interrupted");
    assert_eq!(client.reply(&queued).await["status"], "aborted");
    client.shutdown().await;
}

#[tokio::test]
async fn who_goes_on_after_an_interrupt_is_explained_once() {
    let mut client = Client::start().await;
    let cell = client.execute("stubborn 4500\nprint end").await;
    client.broadcast_until("input").await;
    for _ in 0..2 {
        let interrupt = client.control("interrupt_request", json!({})).await;
        client.control_reply(&interrupt).await;
    }
    let shown = client.broadcasts(&cell).await;
    let hints: Vec<_> = shown
        .iter()
        .filter(|shown| shown.starts_with("err:"))
        .collect();
    assert_eq!(hints.len(), 1, "{shown:?}");
    assert!(hints[0].contains("these variables would be lost: numbers"));
    client.shutdown().await;
}

#[tokio::test]
async fn a_long_compilation_has_a_notice_that_goes() {
    check(
        "compile\nsleep 2300\nrun\nprint a",
        &[
            "busy",
            "input",
            "display:Compiling … 1 s",
            "update:Compiling … 2 s",
            "clear",
            "out:a\n",
            "idle",
        ],
    )
    .await;
    // Clearing would remove the text as well.
    check(
        "compile\nprint a\nsleep 1300",
        &[
            "busy",
            "input",
            "out:a\n",
            "display:Compiling … 1 s",
            "update:Compiled",
            "idle",
        ],
    )
    .await;
    check(
        "compile\nsleep 300\nrun\nsleep 1300",
        &["busy", "input", "idle"],
    )
    .await;
}

#[tokio::test]
async fn an_update_of_an_earlier_display_belongs_to_the_cell_that_runs() {
    let mut client = Client::start().await;
    let first = client.execute("display bar 10 %").await;
    client.broadcasts(&first).await;
    let second = client.execute("update bar 20 %").await;
    assert_eq!(
        client.broadcasts(&second).await,
        ["busy", "input", "update:20 %", "idle"]
    );
    client.shutdown().await;
}

#[tokio::test]
async fn a_comm_to_nobody_is_closed() {
    let mut client = Client::start().await;
    let open = json!({"comm_id": "c1", "target_name": "x", "data": {}});
    let id = client.request("comm_open", open).await;
    assert_eq!(client.broadcasts(&id).await, ["busy", "comm_close", "idle"]);
    client.shutdown().await;
}

#[tokio::test]
async fn comms_are_open_until_an_end_closes_them_or_is_gone() {
    let mut client = Client::start().await;
    let cell = client
        .execute("target x\nopen k1 a\nsay k1 hello\nopen k2 b\nclose k2")
        .await;
    assert_eq!(
        client.broadcasts(&cell).await,
        [
            "busy",
            "input",
            "comm_open",
            "comm_msg",
            "comm_open",
            "comm_close",
            "idle"
        ]
    );
    let open = json!({"comm_id": "c1", "target_name": "x"});
    let opened = client.request("comm_open", open).await;
    assert_eq!(client.broadcasts(&opened).await, ["busy", "idle"]);
    let comms = async |client: &mut Client, content| {
        let asked = client.request("comm_info_request", content).await;
        client.reply(&asked).await["comms"].clone()
    };
    assert_eq!(
        comms(&mut client, json!({})).await,
        json!({"c1": {"target_name": "x"}, "k1": {"target_name": "a"}})
    );
    assert_eq!(
        comms(&mut client, json!({"target_name": "a"})).await,
        json!({"k1": {"target_name": "a"}})
    );
    // While a cell runs, messages pass in both directions.
    let busy = client.execute("sleep 500").await;
    let say = json!({"comm_id": "c1", "data": {"n": 1}});
    client.request("comm_msg", say).await;
    client.broadcast_until("comm_msg").await;
    client.broadcasts(&busy).await;
    let died = client.execute("die").await;
    assert_eq!(
        client.broadcasts(&died).await,
        ["busy", "input", "comm_close", "comm_close", "idle"]
    );
    assert_eq!(comms(&mut client, json!({})).await, json!({}));
    client.shutdown().await;
}

#[tokio::test]
async fn bad_messages_are_dropped_or_refused_and_the_loop_goes_on() {
    let mut client = Client::start().await;
    client.raw(&[b"<IDS|MSG>", b"", b"{}"]).await;
    client.raw(&[b"garbage"]).await;
    client
        .raw(&[b"<IDS|MSG>", b"00", b"{}", b"{}", b"{}", b"{}"])
        .await;
    client
        .raw(&[b"<IDS|MSG>", b"\xff\xfe", b"\xff", b"{}", b"{}", b"{}"])
        .await;
    client.request("unknown_request", json!({})).await;
    let bad = client.request("execute_request", json!({"code": 1})).await;
    let reply = client.reply(&bad).await;
    assert_eq!(
        (&reply["status"], &reply["ename"]),
        (&json!("error"), &json!("ProtocolError"))
    );
    assert_eq!(client.broadcasts(&bad).await, ["busy", "idle"]);
    let good = client.execute("1").await;
    assert_eq!(client.reply(&good).await["status"], "ok");
    client.shutdown().await;
}

#[tokio::test]
async fn two_hundred_quick_cells_lose_nothing() {
    let mut client = Client::start().await;
    let mut ids = Vec::new();
    for number in 0..200 {
        ids.push(client.execute(&format!("print {number}\n{number}")).await);
    }
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(client.reply(id).await["execution_count"], number + 1);
        assert_eq!(
            client.broadcasts(id).await,
            [
                "busy",
                "input",
                &format!("out:{number}\n"),
                &format!("result:{number}"),
                "idle"
            ]
        );
    }
    client.shutdown().await;
}

#[tokio::test]
async fn a_flood_is_cut_with_one_note() {
    let mut client = Client::start_with_max_output(100_000).await;
    let id = client.execute("flood 300000").await;
    let shown = client.broadcasts(&id).await;
    let text: usize = shown
        .iter()
        .filter_map(|short| short.strip_prefix("out:"))
        .map(str::len)
        .sum();
    assert_eq!(text, 100_000);
    let notes: Vec<&String> = shown
        .iter()
        .filter(|short| short.contains("[output limit]"))
        .collect();
    assert_eq!(notes.len(), 2, "a note and its update");
    assert!(
        notes[1].starts_with("update:[output limit] 200000 bytes"),
        "{}",
        notes[1]
    );
    client.shutdown().await;
}

#[tokio::test]
async fn shutdown_answers_those_who_wait() {
    let mut client = Client::start().await;
    let cell = client.execute("sleep 60000").await;
    let queued = client.execute("1").await;
    client.broadcast_until("input").await;
    let start = Instant::now();
    let shutdown = client
        .control("shutdown_request", json!({"restart": true}))
        .await;
    assert_eq!(client.reply(&cell).await["status"], "aborted");
    assert_eq!(client.reply(&queued).await["status"], "aborted");
    let reply = client.control_reply(&shutdown).await;
    assert_eq!(reply, json!({"status": "ok", "restart": true}));
    assert_eq!(
        client.broadcasts(&shutdown).await,
        ["busy", "shutdown_reply", "idle"]
    );
    client.ended().await;
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn subscribers_are_welcomed() {
    let client = Client::start().await;
    let welcome = client.welcome.clone();
    assert_eq!(welcome["msg_type"], Value::from("iopub_welcome"));
    client.shutdown().await;
}
