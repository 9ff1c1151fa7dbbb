//! multipart/form-data (RFC 7578), read with `multer`.

use deno_core::convert::Uint8Array;
use deno_core::{ToV8, op2};
use deno_error::JsErrorBox;
use futures::FutureExt;

#[derive(ToV8)]
pub(crate) struct FormPart {
    name: String,
    filename: Option<String>,
    content_type: Option<String>,
    data: Uint8Array,
}

/// A boundary that no content can be expected to contain.
#[op2]
#[string]
pub(crate) fn op_form_boundary() -> String {
    format!("----OutboardFormBoundary{}", uuid::Uuid::new_v4().simple())
}

#[op2]
pub(crate) fn op_form_parse(
    #[buffer] bytes: &[u8],
    #[string] boundary: String,
) -> Result<Vec<FormPart>, JsErrorBox> {
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    let stream = futures::stream::once(async move { Ok::<_, std::convert::Infallible>(bytes) });
    let mut form = multer::Multipart::new(stream, boundary);
    let parse = async {
        let mut parts = Vec::new();
        while let Some(field) = form.next_field().await? {
            let name = field.name().unwrap_or_default().to_string();
            let filename = field.file_name().map(str::to_string);
            let content_type = field.content_type().map(ToString::to_string);
            let data = field.bytes().await?;
            parts.push(FormPart {
                name,
                filename,
                content_type,
                data: Vec::from(data).into(),
            });
        }
        Ok::<_, multer::Error>(parts)
    };
    // The bytes are all there, so the parser never waits.
    parse
        .now_or_never()
        .unwrap_or(Err(multer::Error::IncompleteStream))
        .map_err(|error| JsErrorBox::type_error(format!("Failed to parse FormData: {error}")))
}
