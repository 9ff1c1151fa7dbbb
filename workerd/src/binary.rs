//! The binary format: a Cap'n Proto message whose root is a `Config`.

use capnp::dynamic_value::Reader;
use capnp::message::ReaderOptions;
use capnp::{dynamic_struct, serialize};

use crate::value::Value;
use crate::workerd_capnp;

/// How deep a message may be nested; the schema needs about ten levels.
const NESTING: i32 = 64;
/// Words that may be visited for each word of the message. A message can point
/// to one list many times, and would then be larger than it is.
const AMPLIFICATION: usize = 16;

pub(crate) fn read(bytes: &[u8]) -> capnp::Result<Value> {
    let options = ReaderOptions {
        traversal_limit_in_words: Some((bytes.len() / 8).saturating_mul(AMPLIFICATION).max(1_024)),
        nesting_limit: NESTING,
    };
    let mut rest = bytes;
    let message = serialize::read_message(&mut rest, options)?;
    let root: workerd_capnp::config::Reader<'_> = message.get_root()?;
    value(root.into())
}

fn value(reader: Reader<'_>) -> capnp::Result<Value> {
    Ok(match reader {
        Reader::Void => Value::Void,
        Reader::Bool(value) => Value::Bool(value),
        Reader::UInt8(value) => Value::Number(value.into()),
        Reader::UInt16(value) => Value::Number(value.into()),
        Reader::UInt32(value) => Value::Number(value.into()),
        Reader::UInt64(value) => Value::Number(value),
        Reader::Text(text) => Value::Bytes(text.as_bytes().to_vec()),
        Reader::Data(data) => Value::Bytes(data.to_vec()),
        Reader::Enum(value) => match value.get_enumerant()? {
            Some(name) => Value::Name(name.get_proto().get_name()?.to_str()?.to_string()),
            None => Value::Number(value.get_value().into()),
        },
        Reader::List(list) => {
            let mut values = Vec::with_capacity(list.len() as usize);
            for item in list.iter() {
                values.push(value(item?)?);
            }
            Value::List(values)
        }
        Reader::Struct(reader) => structure(reader)?,
        _ => {
            return Err(capnp::Error::failed(
                "a type that no configuration has".into(),
            ));
        }
    })
}

fn structure(reader: dynamic_struct::Reader<'_>) -> capnp::Result<Value> {
    let mut fields = Vec::new();
    let schema = reader.get_schema();
    let chosen = reader.which()?;
    if !schema.get_union_fields()?.is_empty() && chosen.is_none() {
        return Err(capnp::Error::failed(
            "a union holds what this version does not know".into(),
        ));
    }
    for field in schema.get_non_union_fields()?.iter().chain(chosen) {
        // A pointer that is null was not given; but of a union it says which.
        let given = if reader.has(field)? {
            value(reader.get(field)?)?
        } else if chosen == Some(field) {
            Value::Void
        } else {
            continue;
        };
        let name = field.get_proto().get_name()?.to_str()?.to_string();
        fields.push((name, given));
    }
    Ok(Value::Struct(fields))
}
