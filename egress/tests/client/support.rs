//! Servers that do as a test says, and short ways to ask them.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use outboard_egress::{BodyError, Client, ClientOptions, RequestBody, ResponseBody};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A hang is a failure too.
pub(crate) async fn promptly<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), work)
        .await
        .expect("done in time")
}

/// Options for servers on loopback.
pub(crate) fn local() -> ClientOptions {
    ClientOptions {
        deny_private: false,
        ..ClientOptions::default()
    }
}

pub(crate) fn client() -> Client {
    Client::new(local()).expect("default options")
}

pub(crate) fn get(url: &str) -> Request<RequestBody> {
    Request::get(url).body(RequestBody::empty()).expect(url)
}

pub(crate) fn post(url: &str, body: impl Into<RequestBody>) -> Request<RequestBody> {
    Request::post(url).body(body.into()).expect(url)
}

pub(crate) async fn text(response: Response<ResponseBody>) -> Result<String, BodyError> {
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The next data of a body.
pub(crate) async fn chunk(body: &mut ResponseBody) -> Option<Result<Bytes, BodyError>> {
    let frame = body.frame().await?;
    Some(frame.map(|frame| frame.into_data().expect("data")))
}

/// A listener and the URL of its root.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}/", listener.local_addr().expect("address"));
    (listener, url)
}

pub(crate) async fn accept(listener: &TcpListener) -> Exact {
    Exact(listener.accept().await.expect("accept").0)
}

/// A connection that is read and written to the byte.
pub(crate) struct Exact(pub(crate) TcpStream);

impl Exact {
    /// Reads a request's head.
    pub(crate) async fn head(&mut self) -> String {
        until(&mut self.0, "\r\n\r\n").await
    }

    /// Reads up to and with `end`.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        until(&mut self.0, end).await
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("write");
    }

    /// Reads what is left; a reset is an end as well.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest).await {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
        String::from_utf8(rest).expect("text")
    }
}

pub(crate) async fn until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut read = String::new();
    while !read.ends_with(end) {
        let byte = stream.read_u8().await.expect("more");
        read.push(char::from(byte));
    }
    read
}

/// A certificate for `localhost` and the PEM to trust it by.
pub(crate) struct Identity {
    pub(crate) pem: Vec<u8>,
    config: ServerConfig,
}

impl Identity {
    pub(crate) fn of(name: &str, protocols: &[&str]) -> Identity {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("key fits");
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Identity {
            pem: made.cert.pem().into_bytes(),
            config,
        }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::new(self.config.clone()))
    }

    /// A client that trusts it.
    pub(crate) fn client(&self) -> Client {
        self.client_with(local())
    }

    pub(crate) fn client_with(&self, options: ClientOptions) -> Client {
        Client::new(ClientOptions {
            extra_roots: vec![self.pem.clone()],
            ..options
        })
        .expect("a good root")
    }
}

/// A listener and its URL by the name in the certificate.
pub(crate) async fn listen_tls() -> (TcpListener, String) {
    let (listener, _) = listen().await;
    let port = listener.local_addr().expect("address").port();
    (listener, format!("https://localhost:{port}/"))
}

/// Serves one connection by HTTP/1.1 or HTTP/2.
pub(crate) fn serve<S, F, B>(
    stream: S,
    answer: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static,
) -> JoinHandle<()>
where
    S: AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        let service = service_fn(move |request| {
            let answer = Arc::clone(&answer);
            async move { Ok::<_, std::convert::Infallible>(answer(request).await) }
        });
        // How a connection ends is for the client's side to judge.
        let _ = auto::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
            .await;
    })
}
