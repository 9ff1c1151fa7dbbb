//! Frames against a model of them (RFC 6455, 5.2), written apart from the
//! library that reads them here.

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

#[derive(Debug, Clone)]
enum Sent {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Close(Option<(u16, String)>),
}

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// One frame as a client sends it.
fn frame(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![u8::from(fin) << 7 | opcode];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | length as u8),
        length @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
    bytes
}

/// A message in as many frames as `cuts` say, pings between them.
fn frames(sent: &Sent, cuts: usize) -> Vec<u8> {
    let (opcode, payload) = match sent {
        Sent::Text(text) => (1, text.as_bytes()),
        Sent::Binary(bytes) => (2, &bytes[..]),
        Sent::Ping(bytes) => return frame(true, 9, bytes),
        Sent::Close(None) => return frame(true, 8, &[]),
        Sent::Close(Some((code, reason))) => {
            let mut payload = code.to_be_bytes().to_vec();
            payload.extend_from_slice(reason.as_bytes());
            return frame(true, 8, &payload);
        }
    };
    let size = payload.len().div_ceil(cuts + 1).max(1);
    let chunks: Vec<_> = payload.chunks(size).collect();
    if chunks.is_empty() {
        return frame(true, opcode, &[]);
    }
    let mut bytes = Vec::new();
    for (place, chunk) in chunks.iter().enumerate() {
        let opcode = if place == 0 { opcode } else { 0 };
        bytes.extend(frame(place + 1 == chunks.len(), opcode, chunk));
        bytes.extend(frame(true, 9, b"between"));
    }
    bytes
}

fn message() -> impl Strategy<Value = Sent> {
    prop_oneof![
        any::<String>().prop_map(Sent::Text),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(Sent::Binary),
        (65_530_usize..65_540).prop_map(|length| Sent::Binary(vec![7; length])),
        proptest::collection::vec(any::<u8>(), 0..125).prop_map(Sent::Ping),
    ]
}

fn close() -> impl Strategy<Value = Sent> {
    proptest::option::of((1_000_u16..1_004, "[a-zé]{0,40}")).prop_map(Sent::Close)
}

/// What the script is given.
fn heard(sent: &Sent) -> Option<SocketMessage> {
    Some(match sent {
        Sent::Text(text) => SocketMessage::Text(text.clone()),
        Sent::Binary(bytes) => SocketMessage::Binary(bytes.clone().into()),
        Sent::Ping(_) => return None,
        Sent::Close(None) => SocketMessage::Close {
            code: 1005,
            reason: String::new(),
        },
        Sent::Close(Some((code, reason))) => SocketMessage::Close {
            code: *code,
            reason: reason.clone(),
        },
    })
}

/// Serves a connection that brings `bytes`, and gives what the script hears and
/// what the client gets.
fn serve(bytes: Vec<u8>) -> (Vec<SocketMessage>, Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (client, server) = duplex(256);
        let (ours, mut script) = SocketEnd::pair();
        let (mut reader, mut writer) = tokio::io::split(client);
        let write = async {
            // The server may leave before all is sent.
            let _ = writer.write_all(&bytes).await;
            let _ = writer.shutdown().await;
        };
        let mut answered = Vec::new();
        let read = async {
            let _ = reader.read_to_end(&mut answered).await;
        };
        let mut messages = Vec::new();
        let listen = async {
            while let Some(message) = script.incoming.recv().await {
                messages.push(message);
            }
        };
        let all = async {
            tokio::join!(
                run(server, Role::Server, ours, CancellationToken::new()),
                write,
                read,
                listen
            )
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), all)
            .await
            .expect("it ends");
        (messages, answered)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_a_client_sends_is_heard_in_order(
        messages in proptest::collection::vec((message(), 0_usize..4), 0..8),
        close in close(),
    ) {
        let mut bytes: Vec<u8> = messages.iter().flat_map(|(sent, cuts)| frames(sent, *cuts)).collect();
        bytes.extend(frames(&close, 0));
        let expected: Vec<_> = messages
            .iter()
            .map(|(sent, _)| sent)
            .chain([&close])
            .filter_map(heard)
            .collect();
        let (messages, _) = serve(bytes);
        prop_assert_eq!(messages, expected);
    }

    /// Whatever a client sends, the connection ends and nothing but whole
    /// messages is heard.
    #[test]
    fn spoilt_frames_end_the_connection(
        messages in proptest::collection::vec((message(), 0_usize..4), 1..4),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes: Vec<u8> = messages.iter().flat_map(|(sent, cuts)| frames(sent, *cuts)).collect();
        let length = bytes.len();
        bytes[at.index(length)] = byte;
        bytes.truncate(cut.index(length + 1));
        let (heard, _) = serve(bytes);
        prop_assert!(heard.len() <= messages.len() + 1);
    }

    #[test]
    fn any_bytes_end_the_connection(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        serve(bytes);
    }
}

#[test]
fn a_message_past_the_limit_is_refused_before_it_is_read() {
    let mut head = vec![0x82, 0x80 | 127];
    head.extend_from_slice(&(MAX_MESSAGE as u64 + 1).to_be_bytes());
    head.extend_from_slice(&MASK);
    let (heard, answered) = serve(head);
    let reason = "WebSocket protocol error; protocolError.statusCode = 1009; \
         protocolError.description = Message is too large: 33554433 > 33554432";
    assert_eq!(
        heard,
        [SocketMessage::Failed {
            reason: reason.into()
        }]
    );
    // A close with 1009.
    assert_eq!(&answered[..4], &[0x88, 43, 3, 0xf1]);
}
