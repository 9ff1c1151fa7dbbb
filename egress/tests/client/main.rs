//! What the client promises, against real servers on loopback.

mod addresses;
mod exchange;
mod failure;
mod http2;
mod stream;
mod streaming;
mod support;
mod upgrade;

/// What callers on other threads rely on.
#[test]
fn the_types_may_cross_threads() {
    fn is_send_sync<T: Send + Sync>() {}
    fn is_send_unpin<T: Send + Unpin + 'static>() {}
    fn is_send<T: Send>(_: T) {}
    is_send_sync::<outboard_egress::Client>();
    is_send_sync::<outboard_egress::SendError>();
    is_send_sync::<outboard_egress::BodyError>();
    is_send_unpin::<outboard_egress::RequestBody>();
    is_send_unpin::<outboard_egress::ResponseBody>();
    is_send_unpin::<outboard_egress::BodySender>();
    is_send_unpin::<outboard_egress::Upgraded>();
    let client = support::client();
    is_send(client.send(support::get("http://a.test/")));
    is_send(client.upgrade(http::Request::new(())));
}
