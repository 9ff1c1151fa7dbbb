//! The API: each request is one order, or a refusal.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use outboard_project::{Package, is_worker_name};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::order::{Action, Answer, Order, Refusal};
use super::tokens::{BadToken, Issued, TokenStore};
use super::versions::SecretValue;

/// Orders that wait. Each may take a second; who comes later comes again.
pub(crate) const ORDERS: usize = 16;
/// Packages that are in memory while they come in.
const UPLOADS: usize = 4;
/// How long a request's body may take.
const UPLOAD_TIME: Duration = Duration::from_secs(60);
/// What a request that is no package may have.
const SMALL_BODY: usize = MOST_SECRET + 1;
/// Bytes of a secret.
const MOST_SECRET: usize = 64 << 10;

pub(crate) struct Control {
    tokens: TokenStore,
    orders: mpsc::Sender<Order>,
    max_package: usize,
    uploads: Semaphore,
}

/// A request that comes to nothing.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Token(#[from] BadToken),
    #[error("there is nothing here")]
    NotFound,
    #[error("this takes {0}")]
    Method(&'static str),
    #[error("the body is over {0} bytes")]
    TooLarge(usize),
    #[error("the body was cut off: {0}")]
    CutOff(String),
    #[error("the body took over {} seconds", UPLOAD_TIME.as_secs())]
    TooSlow,
    #[error("the node has too many deployments to do; try again")]
    Busy,
    #[error("the node is stopping")]
    Stopping,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Who asks.
struct Caller {
    tenant: String,
    token: String,
}

impl From<Issued> for Caller {
    fn from(issued: Issued) -> Self {
        Self {
            tenant: issued.tenant,
            token: issued.id,
        }
    }
}

impl Control {
    pub(crate) fn new(tokens: TokenStore, max_package: usize) -> (Self, mpsc::Receiver<Order>) {
        let (orders, taken) = mpsc::channel(ORDERS);
        let control = Self {
            tokens,
            orders,
            max_package,
            uploads: Semaphore::new(UPLOADS),
        };
        (control, taken)
    }

    pub(super) async fn answer<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match self.serve(request).await {
            Ok(answer) => json(StatusCode::OK, &answer),
            Err(fault) => failed(&fault),
        }
    }

    async fn serve<B>(&self, request: Request<B>) -> Result<Answer, Fault>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let token = bearer(request.headers()).ok_or(BadToken::Missing)?;
        let caller = Caller::from(self.tokens.check(token)?);
        let path = request.uri().path().to_string();
        let segments: Vec<_> = path.split('/').skip(1).collect();
        let (method, body) = (request.method().clone(), request.into_body());
        let worker = |name: &str| match is_worker_name(name) && name.len() <= 128 {
            true => Ok(name.to_string()),
            false => Err(Refusal::NoWorker(name.into())),
        };
        let action = match (segments.as_slice(), &method) {
            (["v1", "workers"], &Method::GET) => Action::Workers,
            (["v1", "workers"], _) => return Err(Fault::Method("GET")),
            (["v1", "workers", name], &Method::PUT) => {
                return self.deploy(caller, worker(name)?, body).await;
            }
            (["v1", "workers", name], &Method::DELETE) => Action::Delete {
                worker: worker(name)?,
            },
            (["v1", "workers", _], _) => return Err(Fault::Method("PUT, DELETE")),
            (["v1", "workers", name, "versions"], &Method::GET) => Action::Versions {
                worker: worker(name)?,
            },
            (["v1", "workers", _, "versions"], _) => return Err(Fault::Method("GET")),
            (["v1", "workers", name, "rollback"], &Method::POST) => Action::Rollback {
                worker: worker(name)?,
                version: rollback(&read(body, SMALL_BODY).await?)?,
            },
            (["v1", "workers", _, "rollback"], _) => return Err(Fault::Method("POST")),
            (["v1", "workers", name, "secrets"], &Method::GET) => Action::Secrets {
                worker: worker(name)?,
            },
            (["v1", "workers", _, "secrets"], _) => return Err(Fault::Method("GET")),
            (["v1", "workers", name, "secrets", secret], &Method::PUT) => Action::SetSecret {
                worker: worker(name)?,
                name: secret_name(secret)?,
                value: Some(secret_value(&read(body, SMALL_BODY).await?)?),
            },
            (["v1", "workers", name, "secrets", secret], &Method::DELETE) => Action::SetSecret {
                worker: worker(name)?,
                name: secret_name(secret)?,
                value: None,
            },
            (["v1", "workers", _, "secrets", _], _) => return Err(Fault::Method("PUT, DELETE")),
            _ => return Err(Fault::NotFound),
        };
        self.order(caller, action).await
    }

    async fn deploy<B>(&self, caller: Caller, worker: String, body: B) -> Result<Answer, Fault>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let _room = self.uploads.try_acquire().map_err(|_| Fault::Busy)?;
        let bytes = read(body, self.max_package).await?;
        let package = Package::decode(&bytes).map_err(Refusal::from)?;
        if package.project.name != worker {
            let name = &package.project.name;
            let fault = format!("the package is of {name:?}, and was sent as {worker:?}");
            return Err(Refusal::field("name", fault).into());
        }
        let action = Action::Deploy {
            worker,
            package: Box::new(package),
            bytes,
        };
        self.order(caller, action).await
    }

    async fn order(&self, caller: Caller, action: Action) -> Result<Answer, Fault> {
        let (reply, answer) = oneshot::channel();
        let order = Order {
            tenant: caller.tenant,
            token: caller.token,
            action,
            reply,
        };
        self.orders.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Fault::Busy,
            mpsc::error::TrySendError::Closed(_) => Fault::Stopping,
        })?;
        Ok(answer.await.map_err(|_gone| Fault::Stopping)??)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn read<B>(body: B, most: usize) -> Result<Bytes, Fault>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let whole = Limited::new(body, most).collect();
    let read = tokio::time::timeout(UPLOAD_TIME, whole).await;
    match read.map_err(|_elapsed| Fault::TooSlow)? {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Fault::TooLarge(most)),
        Err(error) => Err(Fault::CutOff(error.to_string())),
    }
}

fn rollback(body: &[u8]) -> Result<Option<u64>, Refusal> {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rollback {
        version: Option<u64>,
    }
    if body.is_empty() {
        return Ok(None);
    }
    let read: Result<Rollback, _> = serde_json::from_slice(body);
    let rollback = read.map_err(|error| Refusal::field("body", error.to_string()))?;
    Ok(rollback.version)
}

/// Names as scripts write them: `env.NAME`.
fn secret_name(name: &str) -> Result<String, Refusal> {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '$';
    let is_name = name.starts_with(is_first)
        && name.len() <= 128
        && name.chars().all(|c| is_first(c) || c.is_ascii_digit());
    if is_name {
        return Ok(name.into());
    }
    let fault =
        format!("{name:?}: a name has letters, digits, \"_\" and \"$\", and no digit first");
    Err(Refusal::field("secret", fault))
}

fn secret_value(body: &[u8]) -> Result<SecretValue, Refusal> {
    let fault = |fault: &str| Refusal::field("secret", fault);
    if body.len() > MOST_SECRET {
        return Err(fault("its value has more than 65536 bytes"));
    }
    let text = std::str::from_utf8(body).map_err(|_| fault("its value is not UTF-8"))?;
    if text.is_empty() {
        return Err(fault("it has no value"));
    }
    Ok(SecretValue(text.into()))
}

fn json(status: StatusCode, body: &impl Serialize) -> Response<Full<Bytes>> {
    let body = serde_json::to_vec(body).expect("its keys are strings");
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn failed(fault: &Fault) -> Response<Full<Bytes>> {
    let status = status(fault);
    if let Fault::Refused(Refusal::Internal(error)) = fault {
        tracing::error!(%error, "a deployment failed");
    } else if let Fault::Token(BadToken::Store(error)) = fault {
        tracing::error!(%error, "a token could not be read");
    }
    let text = match fault {
        Fault::Token(BadToken::Store(_)) => "the node cannot read its tokens".into(),
        fault => fault.to_string(),
    };
    let mut response = json(status, &serde_json::json!({ "error": text }));
    let headers = response.headers_mut();
    match fault {
        Fault::Method(allowed) => {
            headers.insert(ALLOW, HeaderValue::from_static(allowed));
        }
        Fault::Busy => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ if status == StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        _ => {}
    }
    response
}

fn status(fault: &Fault) -> StatusCode {
    match fault {
        Fault::Token(BadToken::Store(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        Fault::Token(_) => StatusCode::UNAUTHORIZED,
        Fault::NotFound => StatusCode::NOT_FOUND,
        Fault::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        Fault::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::CutOff(_) => StatusCode::BAD_REQUEST,
        Fault::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Fault::Busy | Fault::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        Fault::Refused(refusal) => match refusal {
            Refusal::NoTenant => StatusCode::UNAUTHORIZED,
            Refusal::NoWorker(_)
            | Refusal::NoVersion { .. }
            | Refusal::NoneBefore(_)
            | Refusal::NoSecret { .. } => StatusCode::NOT_FOUND,
            Refusal::Package(_) | Refusal::Worker(_) | Refusal::Field { .. } => {
                StatusCode::BAD_REQUEST
            }
            Refusal::Migration(_) | Refusal::Called { .. } => StatusCode::CONFLICT,
            Refusal::Script(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}
