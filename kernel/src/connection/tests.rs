//! Tests of the sockets, with clients that are plain streams.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use swath_wire::Status;
use swath_wire::zmtp::{Decoder, Incoming, Limits, encode};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::*;

const KEY: &[u8] = b"secret";
/// An upper limit for every wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// Open sockets, and the folder that contains them.
struct Server {
    folder: TempDir,
    channels: Channels,
    requests: mpsc::UnboundedReceiver<Received>,
    encoder: Encoder,
}

impl Server {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kernel.json");
        let text = json!({
            "transport": "ipc", "ip": folder.path().join("kernel"), "key": "secret",
            "shell_port": 1, "control_port": 2, "stdin_port": 3, "iopub_port": 4, "hb_port": 5,
        });
        std::fs::write(&path, text.to_string()).unwrap();
        let listeners = Listeners::bind(&ConnectionFile::read(&path).unwrap()).unwrap();
        let signer = Signer::new(KEY);
        let encoder = Encoder::new(signer.clone());
        let (channels, requests) = Channels::open(listeners, &signer, &encoder).await.unwrap();
        Self {
            folder,
            channels,
            requests,
            encoder,
        }
    }

    async fn connect(&self, port: u16) -> UnixStream {
        let path = self.folder.path().join(format!("kernel-{port}"));
        UnixStream::connect(path).await.unwrap()
    }

    /// Returns a client after its handshake.
    async fn client(&self, port: u16, socket_type: &str) -> Client {
        let mut stream = self.connect(port).await;
        stream.write_all(&encode::greeting()).await.unwrap();
        stream.write_all(&encode::ready(socket_type)).await.unwrap();
        let limits = Limits {
            nbytes: 1 << 30,
            frames: 100,
        };
        let decoder = Decoder::new(limits);
        let mut client = Client { stream, decoder };
        assert!(matches!(client.next().await, Some(Incoming::Command(_))));
        client
    }

    /// Returns a client that has subscribed and received its welcome.
    async fn subscriber(&self, topic: &'static str) -> Client {
        let mut client = self.client(4, "SUB").await;
        let subscription = [&[1], topic.as_bytes()].concat();
        client.say(&encode::message(&[subscription.into()])).await;
        assert_eq!(client.header().await["msg_type"], "iopub_welcome");
        client
    }

    fn publish(&self, topic: &'static str) {
        self.publish_with(topic, Bytes::new());
    }

    fn publish_with(&self, topic: &'static str, buffer: Bytes) {
        let identities = vec![Bytes::from_static(topic.as_bytes())];
        let frames = self
            .encoder
            .encode(identities, &Value::Null, &Status::Busy)
            .unwrap();
        self.channels.publish(Frames {
            buffers: vec![buffer],
            ..frames
        });
    }

    /// Answers the next request; returns its identities.
    async fn answer(&mut self) -> Vec<Bytes> {
        let (_, envelope) = self.requests.recv().await.unwrap();
        let identities = envelope.identities.clone();
        let reply = self
            .encoder
            .encode(identities, &envelope.header, &Status::Idle)
            .unwrap();
        self.channels.send(Channel::Shell, reply);
        envelope.identities
    }

    async fn flush(self) -> TempDir {
        tokio::time::timeout(PATIENCE, self.channels.flush())
            .await
            .unwrap();
        self.folder
    }
}

struct Client {
    stream: UnixStream,
    decoder: Decoder,
}

impl Client {
    async fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Returns the next item from the kernel; `None` at the end.
    async fn next(&mut self) -> Option<Incoming> {
        let next = async {
            loop {
                if let Some(incoming) = self.decoder.decode().unwrap() {
                    return Some(incoming);
                }
                match self.stream.read_buf(self.decoder.room()).await {
                    Ok(0) | Err(_) => return None,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.unwrap()
    }

    async fn message(&mut self) -> Option<Vec<Bytes>> {
        match self.next().await {
            Some(Incoming::Message(message)) => Some(message),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the header of the next message.
    async fn header(&mut self) -> Value {
        let frames = Frames::split(self.message().await.unwrap()).unwrap();
        serde_json::from_slice(&frames.header).unwrap()
    }

    /// Returns the topic of the next message.
    async fn topic(&mut self) -> String {
        let message = self.message().await.unwrap();
        String::from_utf8(message[0].to_vec()).unwrap()
    }

    async fn is_closed(&mut self) -> bool {
        while let Some(incoming) = self.next().await {
            drop(incoming);
        }
        true
    }
}

#[tokio::test]
async fn a_subscriber_gets_what_begins_with_its_topic_after_its_welcome_and_in_order() {
    let server = Server::start().await;
    server.publish("before");
    let mut all = server.subscriber("").await;
    let mut some = server.subscriber("a").await;
    for topic in ["a", "b", "ab"] {
        server.publish(topic);
    }
    for topic in ["a", "b", "ab"] {
        assert_eq!(all.topic().await, topic);
    }
    for topic in ["a", "ab"] {
        assert_eq!(some.topic().await, topic);
    }
    // In the form of ZMTP 3.1.
    some.say(b"\x04\x08\x06CANCELa\x04\x0b\x09SUBSCRIBEb").await;
    assert_eq!(some.header().await["msg_type"], "iopub_welcome");
    for topic in ["a", "b"] {
        server.publish(topic);
    }
    assert_eq!(some.topic().await, "b");
    server.flush().await;
}

#[tokio::test]
async fn who_reads_nothing_is_closed_and_who_reads_gets_all() {
    let server = Server::start().await;
    let mut stuck = server.subscriber("").await;
    let mut reading = server.subscriber("").await;
    let page = Bytes::from(vec![0; 4 << 20]);
    for _ in 0..60 {
        server.publish_with("page", page.clone());
        assert_eq!(reading.topic().await, "page");
    }
    assert!(stuck.is_closed().await);
    // Other clients can still connect.
    server.subscriber("").await;
    server.flush().await;
}

#[tokio::test]
async fn one_message_may_be_longer_than_what_may_wait() {
    let server = Server::start().await;
    let mut reading = server.subscriber("").await;
    let page = Bytes::from(vec![0; 200 << 20]);
    server.publish_with("page", page.clone());
    let message = reading.message().await.unwrap();
    assert!(message.last().unwrap() == &page);
    server.flush().await;
}

#[tokio::test]
async fn flush_writes_what_was_published_and_does_not_wait_for_who_is_silent() {
    let server = Server::start().await;
    let mut reading = server.subscriber("").await;
    let _silent = server.subscriber("").await;
    let _half = server.connect(1).await;
    let page = Bytes::from(vec![0; 1 << 20]);
    for _ in 0..16 {
        server.publish_with("page", page.clone());
    }
    let reader = tokio::spawn(async move {
        let mut pages = 0;
        while reading.message().await.is_some() {
            pages += 1;
        }
        pages
    });
    let folder = server.flush().await;
    assert_eq!(reader.await.unwrap(), 16);
    drop(folder);
}

#[tokio::test]
async fn a_ping_is_answered_on_every_socket() {
    let server = Server::start().await;
    for (port, socket_type) in [
        (1, "DEALER"),
        (2, "DEALER"),
        (3, "DEALER"),
        (4, "SUB"),
        (5, "REQ"),
    ] {
        let mut client = server.client(port, socket_type).await;
        client.say(b"\x04\x0a\x04PING\x00\x64ctx").await;
        let mut answer = [0; 10];
        client.stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"\x04\x08\x04PONGctx");
    }
    server.flush().await;
}

#[tokio::test]
async fn the_heartbeat_echoes_frames_of_any_number() {
    let server = Server::start().await;
    let mut client = server.client(5, "DEALER").await;
    for frames in [vec!["x"], vec!["", "x"], vec!["", "", ""]] {
        let frames: Vec<Bytes> = frames.into_iter().map(Bytes::from).collect();
        client.say(&encode::message(&frames)).await;
        assert_eq!(client.message().await, Some(frames));
    }
    server.flush().await;
}

#[tokio::test]
async fn what_cannot_be_is_closed_before_it_is_stored() {
    let server = Server::start().await;
    let long = |length: u64| [&[2], &length.to_be_bytes()[..]].concat();
    for port in 1..=3 {
        for traffic in [
            long(1 << 62),
            long(u64::MAX),
            long(1 << 40),
            b"\xf8".to_vec(),
        ] {
            let mut client = server.client(port, "DEALER").await;
            client.say(&traffic).await;
            assert!(client.is_closed().await);
        }
    }
    let mut publisher = server.client(1, "PUB").await;
    assert!(publisher.is_closed().await);
    let mut greedy = server.client(4, "SUB").await;
    for number in 0..300_u32 {
        let subscription = [&[1], &number.to_be_bytes()[..]].concat();
        let message = encode::message(&[subscription.into()]);
        // The connection may be closed before the last is sent.
        let _ = greedy.stream.write_all(&message).await;
    }
    assert!(greedy.is_closed().await);
    server.flush().await;
}

#[tokio::test]
async fn replies_go_to_who_spoke_last_under_a_name() {
    let mut server = Server::start().await;
    let ready =
        b"\x04\x2b\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x02me";
    let connect = async |server: &Server| {
        let stream = server.connect(1).await;
        let decoder = Decoder::new(router::LIMITS);
        let mut client = Client { stream, decoder };
        client.say(&encode::greeting()).await;
        client.say(ready).await;
        assert!(matches!(client.next().await, Some(Incoming::Command(_))));
        client
    };
    let mut clients = Vec::new();
    for _ in 0..2 {
        clients.push(connect(&server).await);
    }
    // A client that connects while another waits for its reply does not receive
    // that reply.
    clients[0].say(&request(100)).await;
    clients.push(connect(&server).await);
    assert_eq!(server.answer().await, [&b"me"[..]]);
    assert_eq!(clients[0].header().await["msg_type"], "status");
    for (number, who) in [2, 0, 1, 1, 2].into_iter().enumerate() {
        clients[who].say(&request(number)).await;
        assert_eq!(server.answer().await, [&b"me"[..]]);
        assert_eq!(clients[who].header().await["msg_type"], "status");
    }
    // After a client disconnects, its replies go to the remaining one.
    let gone = clients.remove(2);
    clients[1].say(&request(9)).await;
    let (channel, envelope) = server.requests.recv().await.unwrap();
    assert_eq!(channel, Channel::Shell);
    drop((gone, clients.remove(1)));
    let stays = async {
        loop {
            let identities = envelope.identities.clone();
            let reply = server
                .encoder
                .encode(identities, &Value::Null, &Status::Idle);
            server.channels.send(Channel::Shell, reply.unwrap());
            let wait = Duration::from_millis(10);
            if tokio::time::timeout(wait, clients[0].header())
                .await
                .is_ok()
            {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, stays).await.unwrap();
    server.flush().await;
}

/// Returns a signed request.
fn request(number: usize) -> Bytes {
    let header = json!({"msg_id": number.to_string(), "msg_type": "connect_request"});
    let mut frames = Frames {
        header: header.to_string().into(),
        parent_header: Bytes::from_static(b"{}"),
        metadata: Bytes::from_static(b"{}"),
        content: Bytes::from_static(b"{}"),
        ..Frames::default()
    };
    frames.signature = Signer::new(KEY).sign(frames.signed()).into();
    encode::message(&frames.join())
}
