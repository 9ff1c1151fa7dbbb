//! `dev` and `limits`.

use super::{Checker, Document};
use crate::{Dev, Limits, Protocol};

const PROTOCOLS: &[(&str, Protocol)] = &[("http", Protocol::Http), ("https", Protocol::Https)];

pub(super) fn dev<'a>(checker: &mut Checker<'a>, document: &Document<'a>) -> Dev {
    let Some(section) = document
        .field("dev")
        .and_then(|field| checker.section(&field))
    else {
        return Dev::default();
    };
    checker.only_known(
        &section,
        &[
            "ip",
            "port",
            "inspector_ip",
            "inspector_port",
            "local_protocol",
            "upstream_protocol",
            "host",
            // Without effect here: types, and what builds containers.
            "generate_types",
            "enable_containers",
            "container_engine",
        ],
    );
    let mut text = |name| Some(checker.text(&section.field(name)?)?.to_owned());
    let (ip, inspector_ip, host) = (text("ip"), text("inspector_ip"), text("host"));
    // Zero asks the system for any free port.
    let mut port = |name| checker.integer::<u16>(&section.field(name)?, 0);
    let (port, inspector_port) = (port("port"), port("inspector_port"));
    let mut protocol = |name| checker.choice(&section.field(name)?, PROTOCOLS);
    Dev {
        ip,
        port,
        inspector_ip,
        inspector_port,
        local_protocol: protocol("local_protocol"),
        upstream_protocol: protocol("upstream_protocol"),
        host,
    }
}

pub(super) fn limits<'a>(checker: &mut Checker<'a>, document: &Document<'a>) -> Limits {
    let Some(section) = document
        .field("limits")
        .and_then(|field| checker.section(&field))
    else {
        return Limits::default();
    };
    checker.only_known(&section, &["cpu_ms", "subrequests"]);
    let mut number = |name, least| checker.integer::<u32>(&section.field(name)?, least);
    Limits {
        cpu_ms: number("cpu_ms", 1),
        subrequests: number("subrequests", 0),
    }
}
