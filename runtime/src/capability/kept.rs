//! Parcels as objects keep them among their values: JSON behind a mark that no value of
//! V8's begins with.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::{Capability, Parcel, Restored, RestoredKind};
use crate::binding::ServiceTarget;
use crate::entrypoint::{Entrypoint, Props};
use crate::object::{ObjectId, ObjectNamespace, ObjectTarget};

/// V8's begin with 0xff. The digit is the format's version.
const MARK: &[u8] = b"stubs1";

/// Props in props in props, where they have services: more is no script's.
const DEEPEST: u32 = 64;

/// What was kept cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("A value with stubs that this object keeps cannot be read by this version.")]
pub(crate) struct Unreadable;

#[derive(Serialize, Deserialize)]
struct KeptParcel {
    /// In base64.
    value: String,
    capabilities: Vec<Kept>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kept {
    Service(KeptService),
    Class(KeptService),
    Object {
        service: String,
        class: String,
        key: String,
        id: String,
        name: Option<String>,
    },
    Restored(Box<KeptRestored>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeptRestored {
    by: Kept,
    params: KeptParcel,
    stub: bool,
}

#[derive(Serialize, Deserialize)]
struct KeptService {
    service: String,
    entrypoint: Option<String>,
    props: Option<KeptProps>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KeptProps {
    Json(String),
    Parcel(Box<KeptParcel>),
}

pub(crate) fn write(parcel: &Parcel) -> Vec<u8> {
    let mut bytes = MARK.to_vec();
    // Texts and lists of them: there is nothing that JSON cannot say.
    let json = serde_json::to_vec(&KeptParcel::of(parcel)).unwrap_or_default();
    bytes.extend(json);
    bytes
}

pub(crate) fn read(bytes: &[u8]) -> Result<Parcel, Unreadable> {
    let json = bytes.strip_prefix(MARK).ok_or(Unreadable)?;
    let kept: KeptParcel = serde_json::from_slice(json).map_err(|_| Unreadable)?;
    kept.parcel(0)
}

impl KeptParcel {
    fn of(parcel: &Parcel) -> Self {
        let capabilities = parcel.capabilities.iter().map(Kept::of);
        Self {
            value: BASE64_STANDARD.encode(&parcel.bytes),
            capabilities: capabilities.collect(),
        }
    }

    fn parcel(self, depth: u32) -> Result<Parcel, Unreadable> {
        if depth > DEEPEST {
            return Err(Unreadable);
        }
        let capabilities = self.capabilities.into_iter();
        Ok(Parcel {
            bytes: BASE64_STANDARD.decode(self.value).map_err(|_| Unreadable)?,
            capabilities: capabilities
                .map(|kept| kept.capability(depth))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Kept {
    fn of(capability: &Capability) -> Self {
        match capability {
            Capability::Service(target) => Self::Service(KeptService::of(target)),
            Capability::Class(target) => Self::Class(KeptService::of(target)),
            Capability::Object(target) => Self::Object {
                service: target.namespace.service.clone(),
                class: target.namespace.class.clone(),
                key: target.namespace.key.clone(),
                id: target.id.to_string(),
                name: target.name.clone(),
            },
            Capability::Restored(restored) => Self::Restored(Box::new(KeptRestored {
                by: Self::of(&restored.by),
                params: KeptParcel::of(&restored.params),
                stub: restored.kind == RestoredKind::Stub,
            })),
        }
    }

    fn capability(self, depth: u32) -> Result<Capability, Unreadable> {
        if depth > DEEPEST {
            return Err(Unreadable);
        }
        Ok(match self {
            Self::Service(target) => Capability::Service(target.target(depth)?),
            Self::Class(target) => Capability::Class(target.target(depth)?),
            Self::Object {
                service,
                class,
                key,
                id,
                name,
            } => Capability::Object(Arc::new(ObjectTarget {
                id: ObjectId::parse(&key, &id).map_err(|_| Unreadable)?,
                namespace: Arc::new(ObjectNamespace {
                    service,
                    class,
                    key,
                }),
                name,
            })),
            Self::Restored(kept) => {
                let kind = if kept.stub {
                    RestoredKind::Stub
                } else {
                    RestoredKind::Service
                };
                let by = kept.by.capability(depth + 1)?;
                let params = Arc::new(kept.params.parcel(depth + 1)?);
                Capability::Restored(Restored::new(by, params, kind).map_err(|_| Unreadable)?)
            }
        })
    }
}

impl KeptService {
    fn of(target: &ServiceTarget) -> Self {
        let Entrypoint { name, props, .. } = &target.entrypoint;
        Self {
            service: target.service.clone(),
            entrypoint: name.clone(),
            props: props.as_ref().map(|props| match props {
                Props::Json(text) => KeptProps::Json(text.clone()),
                Props::Parcel(parcel) => KeptProps::Parcel(Box::new(KeptParcel::of(parcel))),
            }),
        }
    }

    fn target(self, depth: u32) -> Result<Arc<ServiceTarget>, Unreadable> {
        let props = match self.props {
            None => None,
            Some(KeptProps::Json(text)) => Some(Props::Json(text)),
            Some(KeptProps::Parcel(parcel)) => {
                Some(Props::Parcel(Arc::new(parcel.parcel(depth + 1)?)))
            }
        };
        Ok(Arc::new(ServiceTarget {
            service: self.service,
            entrypoint: Entrypoint {
                name: self.entrypoint,
                props,
                limits: None,
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_as_it_was_and_nothing_else_is() {
        let service = |props| {
            Arc::new(ServiceTarget {
                service: "tenant/worker".into(),
                entrypoint: Entrypoint {
                    name: Some("Name".into()),
                    props,
                    limits: None,
                },
            })
        };
        let inner = Parcel {
            bytes: vec![0xff, 0x0f, 0],
            capabilities: vec![Capability::Class(service(None))],
        };
        let key = "worker:Box";
        let object = ObjectTarget {
            namespace: Arc::new(ObjectNamespace {
                service: "worker".into(),
                class: "Box".into(),
                key: key.into(),
            }),
            id: ObjectId::from_name(key, "a"),
            name: Some("a".into()),
        };
        let params = Arc::new(Parcel {
            bytes: vec![0xff, 0x0f, 3],
            capabilities: vec![Capability::Service(service(None))],
        });
        let restored = |by, kind| {
            let restored = Restored::new(by, params.clone(), kind);
            Capability::Restored(restored.expect("few steps"))
        };
        let made = restored(Capability::Service(service(None)), RestoredKind::Service);
        let parcel = Parcel {
            bytes: vec![0xff, 0x0f, 1, 2],
            capabilities: vec![
                Capability::Service(service(Some(Props::Json("{}".into())))),
                Capability::Class(service(Some(Props::Parcel(Arc::new(inner))))),
                Capability::Object(Arc::new(object)),
                restored(made, RestoredKind::Stub),
            ],
        };
        let bytes = write(&parcel);
        assert_ne!(bytes[0], 0xff);
        assert_eq!(read(&bytes).ok(), Some(parcel));
        for bad in [&bytes[1..], &bytes[..bytes.len() - 1], b"", b"stubs2{}"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
