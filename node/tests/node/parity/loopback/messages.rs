//! As much of an API of messages as its client needs to be led through answers,
//! streams and faults. What is asked says what comes.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

/// Of one connection, or of Node's version: they may differ.
const UNTOLD: [&str; 5] = [
    "host",
    "connection",
    "content-length",
    "accept-encoding",
    "x-stainless-runtime-version",
];

struct Asked {
    line: String,
    headers: Vec<(String, String)>,
    body: Value,
}

pub(super) fn answer(stream: TcpStream) -> Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(asked) = read(&mut reader)? {
        if !reply(&stream, &asked)? {
            break;
        }
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_string()));
    }
    headers.sort();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Asked {
        line: line.trim_end().into(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }))
}

/// Whether the connection goes on.
fn reply(mut stream: &TcpStream, asked: &Asked) -> Result<bool> {
    let content = asked.body["messages"][0]["content"].as_str().unwrap_or("");
    let streamed = asked.body["stream"] == json!(true);
    if let Some(status) = content.strip_prefix("status ") {
        let error = json!({ "type": "api_error", "message": format!("it is {status}") });
        let body = json!({ "type": "error", "error": error }).to_string();
        return whole(stream, &format!("{status} So"), &body);
    }
    match content {
        // Until the client gives up.
        "slow" => stream.read(&mut [0]).map(|_| false),
        "no JSON" if !streamed => whole(stream, "200 OK", "{not JSON"),
        "no JSON" => events(stream, &[("message_start", "{not JSON".into())], true),
        "cut" => {
            let events_ = hello("cut");
            events(stream, &events_[..3], false)
        }
        "error event" => {
            let error = json!({ "type": "overloaded_error", "message": "too much" });
            let error = json!({ "type": "error", "error": error }).to_string();
            let mut sent = hello("before")[..3].to_vec();
            sent.push(("error", error));
            events(stream, &sent, true)
        }
        _ if streamed => events(stream, &hello(&told(asked)), true),
        _ => {
            let text = json!([{ "type": "text", "text": told(asked) }]);
            whole(stream, "200 OK", &message(text, "end_turn").to_string())
        }
    }
}

/// What came, as text.
fn told(asked: &Asked) -> String {
    let mut text = asked.line.clone();
    for (name, value) in &asked.headers {
        if !UNTOLD.contains(&name.as_str()) {
            let _ = write!(text, "|{name}: {value}");
        }
    }
    let _ = write!(text, "|{}", asked.body);
    text
}

fn message(content: Value, stop: impl Into<Value>) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "test",
        "content": content, "stop_reason": stop.into(), "stop_sequence": null,
        "usage": { "input_tokens": 3, "output_tokens": 5 },
    })
}

/// The events of a message that says `text`, a piece at a time.
fn hello(text: &str) -> Vec<(&'static str, String)> {
    let event = |kind: &'static str, mut fields: Value| {
        fields["type"] = kind.into();
        (kind, fields.to_string())
    };
    let mut events = vec![
        event(
            "message_start",
            json!({ "message": message(json!([]), Value::Null) }),
        ),
        event(
            "content_block_start",
            json!({ "index": 0, "content_block": { "type": "text", "text": "" } }),
        ),
    ];
    let letters: Vec<char> = text.chars().collect();
    for piece in letters.chunks(letters.len().div_ceil(3).max(1)) {
        let piece: String = piece.iter().collect();
        events.push(event(
            "content_block_delta",
            json!({ "index": 0, "delta": { "type": "text_delta", "text": piece } }),
        ));
    }
    events.push(event("ping", json!({})));
    events.push(event("content_block_stop", json!({ "index": 0 })));
    events.push(event(
        "message_delta",
        json!({ "delta": { "stop_reason": "end_turn", "stop_sequence": null }, "usage": { "output_tokens": 7 } }),
    ));
    events.push(event("message_stop", json!({})));
    events
}

fn whole(mut stream: &TcpStream, status: &str, body: &str) -> Result<bool> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nrequest-id: req_1\r\n\
         retry-after-ms: 1\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    Ok(true)
}

/// A chunk each, and the last ones cut off unless `ended`.
fn events(mut stream: &TcpStream, events: &[(&str, String)], ended: bool) -> Result<bool> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_1\r\n\
         transfer-encoding: chunked\r\n\r\n"
    )?;
    for (kind, data) in events {
        let event = format!("event: {kind}\ndata: {data}\n\n");
        write!(stream, "{:x}\r\n{event}\r\n", event.len())?;
        stream.flush()?;
    }
    if ended {
        write!(stream, "0\r\n\r\n")?;
    }
    Ok(ended)
}
