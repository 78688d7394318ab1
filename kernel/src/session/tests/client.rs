//! A client over real sockets.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use swath_test_client::util::PeerIdentity;
use swath_test_client::{
    DealerSocket, Socket, SocketOptions, SocketRecv, SocketSend, SubSocket, ZmqMessage,
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::completion::Analyzer;
use crate::connection::{Channels, ConnectionFile, Listeners};
use crate::session::fake::{Config, Fake};
use crate::session::{Record, Session, Sources};
use swath_wire::{Encoder, Frames, Signer};

/// An upper limit for every wait.
const PATIENCE: Duration = Duration::from_secs(10);
const KEY: &str = "secret";

/// A client, and its session.
pub(super) struct Client {
    shell: DealerSocket,
    control: DealerSocket,
    stdin: DealerSocket,
    iopub: SubSocket,
    signer: Signer,
    sent: u32,
    replies: HashMap<String, Value>,
    control_replies: HashMap<String, Value>,
    broadcasts: VecDeque<Broadcast>,
    /// The first broadcast's header.
    pub(super) welcome: Value,
    session: JoinHandle<()>,
    _directory: TempDir,
}

/// A message on iopub.
#[derive(Clone, Debug)]
pub(super) struct Broadcast {
    parent: String,
    msg_type: String,
    content: Value,
}

impl Broadcast {
    /// Returns the short form that `check` compares.
    pub(super) fn short(&self) -> String {
        let content = &self.content;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let plain = || text(&content["data"]["text/plain"]);
        match self.msg_type.as_str() {
            "status" => text(&content["execution_state"]),
            "execute_input" => "input".to_owned(),
            "stream" => format!(
                "{}:{}",
                &text(&content["name"])[3..],
                text(&content["text"])
            ),
            "display_data" => format!("display:{}", plain()),
            "update_display_data" => format!("update:{}", plain()),
            "clear_output" => "clear".to_owned(),
            "execute_result" => format!("result:{}", plain()),
            "error" => format!("error:{}", text(&content["ename"])),
            other => other.to_owned(),
        }
    }
}

impl Client {
    pub(super) async fn start() -> Self {
        Self::start_with_max_output(8_000_000).await
    }

    /// Starts a session on Unix sockets, which need no free port, and connects.
    pub(super) async fn start_with_max_output(max_output: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let prefix = directory.path().join("kernel");
        let path = directory.path().join("kernel.json");
        let text = json!({
            "transport": "ipc", "ip": prefix, "key": KEY, "signature_scheme": "hmac-sha256",
            "shell_port": 1, "control_port": 2, "stdin_port": 3, "iopub_port": 4, "hb_port": 5,
        });
        std::fs::write(&path, text.to_string()).unwrap();
        let session = start_session(&path, max_output).await;

        let endpoint = |port| format!("ipc://{}-{port}", prefix.display());
        let mut iopub = SubSocket::new();
        iopub.connect(&endpoint(4)).await.unwrap();
        iopub.subscribe("").await.unwrap();
        let welcome = read(&mut iopub).await;
        let welcome: Value = serde_json::from_slice(&welcome.header).unwrap();
        Self {
            shell: dealer(&endpoint(1)).await,
            control: dealer(&endpoint(2)).await,
            stdin: dealer(&endpoint(3)).await,
            iopub,
            signer: Signer::new(KEY.as_bytes()),
            sent: 0,
            replies: HashMap::new(),
            control_replies: HashMap::new(),
            broadcasts: VecDeque::new(),
            welcome,
            session,
            _directory: directory,
        }
    }

    /// Sends an execute_request; returns its id.
    pub(super) async fn execute(&mut self, code: &str) -> String {
        self.request("execute_request", json!({ "code": code }))
            .await
    }

    /// Sends a request on shell; returns its id.
    pub(super) async fn request(&mut self, msg_type: &str, content: Value) -> String {
        let (id, message) = self.message(msg_type, content);
        self.shell.send(message).await.unwrap();
        id
    }

    /// Sends a request on control; returns its id.
    pub(super) async fn control(&mut self, msg_type: &str, content: Value) -> String {
        let (id, message) = self.message(msg_type, content);
        self.control.send(message).await.unwrap();
        id
    }

    /// Sends frames on shell unchanged.
    pub(super) async fn raw(&mut self, frames: &[&'static [u8]]) {
        let frames: Vec<Bytes> = frames
            .iter()
            .map(|frame| Bytes::from_static(frame))
            .collect();
        self.shell.send(frames.try_into().unwrap()).await.unwrap();
    }

    /// Returns the content of the reply to a request on shell.
    pub(super) async fn reply(&mut self, id: &str) -> Value {
        loop {
            if let Some(reply) = self.replies.remove(id) {
                return reply;
            }
            let frames = read(&mut self.shell).await;
            self.replies.insert(parent(&frames), content(&frames));
        }
    }

    /// Returns the content of the reply to a request on control.
    pub(super) async fn control_reply(&mut self, id: &str) -> Value {
        loop {
            if let Some(reply) = self.control_replies.remove(id) {
                return reply;
            }
            let frames = read(&mut self.control).await;
            self.control_replies
                .insert(parent(&frames), content(&frames));
        }
    }

    /// Returns the next question on stdin.
    pub(super) async fn question(&mut self) -> Value {
        content(&read(&mut self.stdin).await)
    }

    /// Answers a question.
    pub(super) async fn answer(&mut self, line: &str) {
        let (_, message) = self.message("input_reply", json!({ "value": line }));
        self.stdin.send(message).await.unwrap();
    }

    /// Returns the next broadcast.
    pub(super) async fn broadcast(&mut self) -> Broadcast {
        let frames = read(&mut self.iopub).await;
        let header: Value = serde_json::from_slice(&frames.header).unwrap();
        assert!(self.signer.verify(&frames.signature, frames.signed()));
        Broadcast {
            parent: parent(&frames),
            msg_type: header["msg_type"].as_str().unwrap().to_owned(),
            content: content(&frames),
        }
    }

    /// Waits for a broadcast, and keeps the earlier ones for later.
    pub(super) async fn broadcast_until(&mut self, short: &str) {
        loop {
            let broadcast = self.broadcast().await;
            self.broadcasts.push_back(broadcast.clone());
            if broadcast.short() == short {
                return;
            }
        }
    }

    /// Returns all broadcasts of a request up to its idle.
    pub(super) async fn broadcasts(&mut self, id: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut others = VecDeque::new();
        let mut waiting = std::mem::take(&mut self.broadcasts);
        while found.last().is_none_or(|last| last != "idle") {
            let next = match waiting.pop_front() {
                Some(next) => next,
                None => self.broadcast().await,
            };
            if next.parent == id {
                let short = next.short();
                // The text of a stream may arrive in several messages.
                match found.last_mut() {
                    Some(last) if is_continued(last, &short) => last.push_str(&short[4..]),
                    _ => found.push(short),
                }
            } else {
                others.push_back(next);
            }
        }
        others.extend(waiting);
        self.broadcasts = others;
        found
    }

    /// Ends the session.
    pub(super) async fn shutdown(mut self) {
        let id = self
            .control("shutdown_request", json!({"restart": false}))
            .await;
        assert_eq!(self.control_reply(&id).await["status"], "ok");
        self.ended().await;
    }

    /// Waits for the session's end.
    pub(super) async fn ended(self) {
        tokio::time::timeout(PATIENCE, self.session)
            .await
            .unwrap()
            .unwrap();
    }

    fn message(&mut self, msg_type: &str, content: Value) -> (String, ZmqMessage) {
        self.sent += 1;
        let id = format!("message-{}", self.sent);
        let header = json!({
            "msg_id": id, "msg_type": msg_type, "session": "client", "username": "test",
            "date": "2026-01-01T00:00:00Z", "version": "5.4",
        });
        let mut frames = Frames {
            header: Bytes::from(header.to_string()),
            parent_header: Bytes::from_static(b"{}"),
            metadata: Bytes::from_static(b"{}"),
            content: Bytes::from(content.to_string()),
            ..Frames::default()
        };
        frames.signature = Bytes::from(self.signer.sign(frames.signed()));
        (id, frames.join().try_into().unwrap())
    }
}

fn is_continued(last: &str, next: &str) -> bool {
    ["out:", "err:"]
        .iter()
        .any(|stream| last.starts_with(stream) && next.starts_with(stream))
}

async fn start_session(path: &Path, max_output: usize) -> JoinHandle<()> {
    let file = ConnectionFile::read(path).unwrap();
    let listeners = Listeners::bind(&file).unwrap();
    let signer = Signer::new(KEY.as_bytes());
    let encoder = Encoder::new(signer.clone());
    let (channels, requests) = Channels::open(listeners, &signer, &encoder).await.unwrap();
    let (evaluator, cells) = Fake::start(Config {});
    let (mut session, answers) = Session::new(
        Arc::new(evaluator),
        Analyzer::with_process(false),
        channels,
        encoder,
        file,
        Record::new(None),
    );
    session.max_output = max_output;
    let (signal, signals) = mpsc::unbounded_channel();
    let sources = Sources {
        requests,
        cells,
        signals,
    };
    tokio::spawn(async move {
        let _keeps_the_channel_open = signal;
        session.run(sources, answers).await;
    })
}

async fn dealer(endpoint: &str) -> DealerSocket {
    let mut options = SocketOptions::default();
    // Questions on stdin are routed by it.
    options.peer_identity("client".parse::<PeerIdentity>().unwrap());
    let mut socket = DealerSocket::with_options(options);
    socket.connect(endpoint).await.unwrap();
    socket
}

async fn read(socket: &mut impl SocketRecv) -> Frames {
    let message = tokio::time::timeout(PATIENCE, socket.recv())
        .await
        .expect("no message came")
        .unwrap();
    Frames::split(message.into_vec()).unwrap()
}

fn parent(frames: &Frames) -> String {
    let parent: Value = serde_json::from_slice(&frames.parent_header).unwrap();
    parent["msg_id"].as_str().unwrap_or_default().to_owned()
}

fn content(frames: &Frames) -> Value {
    serde_json::from_slice(&frames.content).unwrap()
}
