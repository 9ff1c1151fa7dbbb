//! What an event began with.

use serde::Serialize;

use crate::event::Event;
use crate::object::SocketEvent;
use crate::ops::web_socket::SocketMessage;

/// As tail workers are told it.
#[derive(Debug, Clone, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(crate) enum EventInfo {
    Fetch {
        method: String,
        url: String,
        /// What a worker gave with it.
        #[serde(skip_serializing_if = "Option::is_none")]
        cf_json: Option<String>,
        headers: Vec<Header>,
    },
    Jsrpc,
    Scheduled {
        /// In milliseconds since 1970.
        scheduled_time: f64,
        cron: String,
    },
    Alarm {
        /// In milliseconds since 1970.
        scheduled_time: f64,
    },
    Queue {
        queue_name: String,
        batch_size: usize,
    },
    /// Of a tail worker.
    Trace {
        /// The names of the workers that it hears of.
        traces: Vec<Option<String>>,
    },
    HibernatableWebSocket {
        info: SocketInfo,
    },
    /// A test.
    Custom,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Header {
    name: String,
    value: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(crate) enum SocketInfo {
    Message,
    Close { code: u16, was_clean: bool },
    Error,
}

impl EventInfo {
    pub(crate) fn fetch(method: &http::Method, url: &str, event: &Event) -> Self {
        let headers = event.headers.borrow();
        let mut list: Vec<Header> = Vec::with_capacity(headers.len());
        for name in headers.keys() {
            let values = headers.get_all(name).iter();
            let values: Vec<_> = values
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            list.push(Header {
                name: name.to_string(),
                value: values.join(", "),
            });
        }
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Self::Fetch {
            method: method.to_string(),
            url: url.to_string(),
            cf_json: event.cf.borrow().as_deref().map(str::to_string),
            headers: list,
        }
    }

    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Self::Fetch { url, .. } => Some(url),
            _ => None,
        }
    }

    /// Bytes of what a client sent.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Fetch {
                url,
                cf_json,
                headers,
                ..
            } => {
                let headers = headers.iter();
                let headers = headers.map(|header| header.name.len() + header.value.len());
                let cf = cf_json.as_ref().map_or(0, |cf| cf.len());
                url.len() + cf + headers.sum::<usize>()
            }
            _ => 0,
        }
    }

    /// Keeps only what is short.
    pub(super) fn cut(&mut self) {
        if let Self::Fetch {
            url,
            cf_json,
            headers,
            ..
        } = self
        {
            url.clear();
            *cf_json = None;
            headers.clear();
        }
    }
}

impl SocketInfo {
    pub(crate) fn of(heard: &SocketEvent) -> Self {
        match heard {
            SocketEvent::Message(SocketMessage::Close { code, .. }) => Self::Close {
                code: *code,
                was_clean: true,
            },
            SocketEvent::Message(SocketMessage::Failed { .. }) | SocketEvent::Failed { .. } => {
                Self::Error
            }
            SocketEvent::Message(_) => Self::Message,
            SocketEvent::Closed { code, clean, .. } => Self::Close {
                code: *code,
                was_clean: *clean,
            },
        }
    }
}
