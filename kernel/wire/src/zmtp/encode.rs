//! Encodes the bytes that we send.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{COMMAND, GREETING, LONG, MECHANISM, MORE, SIGNATURE_END, SIGNATURE_START, VERSION};

/// Returns the first bytes of every connection.
pub fn greeting() -> [u8; GREETING] {
    let mut greeting = [0; GREETING];
    greeting[0] = SIGNATURE_START;
    greeting[9] = SIGNATURE_END;
    (greeting[10], greeting[11]) = VERSION;
    greeting[12..12 + MECHANISM.len()].copy_from_slice(MECHANISM);
    greeting
}

/// Encodes a multipart message; without frames, the result is empty.
pub fn message(frames: &[Bytes]) -> Bytes {
    let nbytes: usize = frames.iter().map(|frame| frame.len() + 9).sum();
    let mut output = BytesMut::with_capacity(nbytes);
    for (at, frame) in frames.iter().enumerate() {
        let more = if at + 1 < frames.len() { MORE } else { 0 };
        put_frame(&mut output, more, frame);
    }
    output.freeze()
}

/// Encodes READY, the end of the handshake, for a socket of this type.
pub fn ready(socket_type: &str) -> Bytes {
    let mut body = BytesMut::new();
    put_name(&mut body, "READY");
    put_name(&mut body, "Socket-Type");
    body.put_u32(u32::try_from(socket_type.len()).expect("invariant: types have short names"));
    body.put_slice(socket_type.as_bytes());
    command(&body)
}

/// Encodes the answer to a PING.
pub fn pong(context: &[u8]) -> Bytes {
    let mut body = BytesMut::new();
    put_name(&mut body, "PONG");
    body.put_slice(context);
    command(&body)
}

fn command(body: &[u8]) -> Bytes {
    let mut output = BytesMut::with_capacity(body.len() + 9);
    put_frame(&mut output, COMMAND, body);
    output.freeze()
}

fn put_frame(output: &mut BytesMut, flags: u8, body: &[u8]) {
    match u8::try_from(body.len()) {
        Ok(length) => output.put_slice(&[flags, length]),
        Err(_) => {
            output.put_u8(flags | LONG);
            output.put_u64(body.len() as u64);
        }
    }
    output.put_slice(body);
}

fn put_name(output: &mut BytesMut, name: &str) {
    output.put_u8(u8::try_from(name.len()).expect("invariant: our names are short"));
    output.put_slice(name.as_bytes());
}
