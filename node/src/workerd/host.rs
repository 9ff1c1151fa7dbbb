//! What workers of a workerd configuration ask for: one another, and the rest of
//! its services.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::{Request, Response};
use outboard_egress::Client;
use outboard_runtime::{
    ConnectTarget, Delivery, DynamicLanes, FetchError, Host, HostBody, HostStream, LaneLocal,
    LogRecord, ObjectHost, Report, RpcEnd, ServiceAnswer, ServiceError, ServiceTarget,
    SocketAnswer, Tailed, Worker,
};

use super::services::{INTERNET, Service, Services};
use crate::host::{WorkerLog, open_socket, send, stream};
use crate::ingress::is_handshake;
use crate::objects::{LaneObjects, NodeObjects};

pub(crate) struct WorkerdHost {
    services: Arc<Services>,
    objects: LaneObjects,
    lane: Weak<LaneLocal>,
    dynamic: Option<Arc<DynamicLanes>>,
}

impl WorkerdHost {
    /// A host for one lane.
    pub(crate) fn shared(
        services: Arc<Services>,
        objects: Arc<NodeObjects>,
        lane: &Weak<LaneLocal>,
        dynamic: Option<Arc<DynamicLanes>>,
    ) -> Rc<dyn Host> {
        Rc::new(Self {
            services,
            objects: LaneObjects::new(objects, lane),
            lane: lane.clone(),
            dynamic,
        })
    }
}

impl Host for WorkerdHost {
    fn fetch(
        &self,
        _request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<Response<HostBody>, FetchError>> {
        std::future::ready(Err(no_network())).boxed_local()
    }

    fn web_socket(
        &self,
        _request: Request<()>,
    ) -> LocalBoxFuture<'static, Result<SocketAnswer, FetchError>> {
        std::future::ready(Err(no_network())).boxed_local()
    }

    fn connect(
        &self,
        target: ConnectTarget,
    ) -> LocalBoxFuture<'static, Result<Box<dyn HostStream>, FetchError>> {
        match self.services.get(INTERNET) {
            Some(Service::Network(client)) => {
                stream::open(Client::clone(client), target).boxed_local()
            }
            _ => std::future::ready(Err(no_network())).boxed_local(),
        }
    }

    fn connect_by(
        &self,
        service: &Arc<ServiceTarget>,
        target: ConnectTarget,
    ) -> Option<LocalBoxFuture<'static, Result<Box<dyn HostStream>, FetchError>>> {
        match self.services.get(&service.service)? {
            Service::Worker(_) => None,
            Service::Network(client) => {
                Some(stream::open(Client::clone(client), target).boxed_local())
            }
            Service::Disk(_) => {
                let message = "a disk takes no connections".into();
                Some(std::future::ready(Err(FetchError { message })).boxed_local())
            }
        }
    }

    fn service(
        &self,
        target: &Arc<ServiceTarget>,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<ServiceAnswer, ServiceError>> {
        let gone = |message: String| {
            let error: ServiceError = FetchError { message }.into();
            std::future::ready(Err(error)).boxed_local()
        };
        match self.services.get(&target.service) {
            Some(Service::Worker(worker)) => match self.lane.upgrade() {
                Some(lane) => call(lane, worker.clone(), target.clone(), request).boxed_local(),
                None => gone("the lane has stopped".into()),
            },
            Some(Service::Network(client)) => network(Client::clone(client), request).boxed_local(),
            Some(Service::Disk(disk)) => {
                let answer = disk.answer(request);
                async move { Ok(ServiceAnswer::Response(answer.await)) }.boxed_local()
            }
            None => gone(format!("no service is called {:?}", target.service)),
        }
    }

    fn deliver(
        &self,
        target: &Arc<ServiceTarget>,
        delivery: Delivery,
    ) -> LocalBoxFuture<'static, Result<Report, ServiceError>> {
        let message = match (self.services.get(&target.service), self.lane.upgrade()) {
            (Some(Service::Worker(worker)), Some(lane)) => {
                let report = lane.deliver(worker.clone(), target.clone(), delivery);
                return async move { Ok(report.await?) }.boxed_local();
            }
            (Some(Service::Worker(_)), None) => "the lane has stopped".into(),
            (Some(_), _) => format!("service {:?} is no worker", target.service),
            (None, _) => format!("no service is called {:?}", target.service),
        };
        std::future::ready(Err(FetchError { message }.into())).boxed_local()
    }

    fn rpc(
        &self,
        target: &Arc<ServiceTarget>,
        called: RpcEnd,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let lane = self.lane.upgrade();
        match (self.services.get(&target.service), lane) {
            (Some(Service::Worker(worker)), Some(lane)) => {
                let ended = lane.rpc(worker.clone(), target.clone(), called);
                async move { Ok(ended.await?) }.boxed_local()
            }
            _ => {
                let message = format!("the service {:?} is no worker", target.service);
                std::future::ready(Err(FetchError { message }.into())).boxed_local()
            }
        }
    }

    /// On the one lane that there is, as in workerd: a worker may be its own tail worker
    /// and share its memory with it.
    fn tail(
        &self,
        target: &Arc<ServiceTarget>,
        tailed: Tailed,
    ) -> LocalBoxFuture<'static, Result<(), ServiceError>> {
        let lane = self.lane.upgrade();
        match (self.services.get(&target.service), lane) {
            (Some(Service::Worker(worker)), Some(lane)) => {
                let done = lane.tail(worker.clone(), target.clone(), tailed);
                async move { Ok(done.await?) }.boxed_local()
            }
            _ => {
                let message = format!("the service {:?} is no worker", target.service);
                std::future::ready(Err(FetchError { message }.into())).boxed_local()
            }
        }
    }

    fn objects(&self) -> &dyn ObjectHost {
        &self.objects
    }

    fn dynamic(&self) -> Option<Arc<DynamicLanes>> {
        self.dynamic.clone()
    }

    fn log(&self, record: LogRecord<'_>) {
        WorkerLog::Terminal.write(&record);
    }
}

/// Every worker here has a service to send to.
fn no_network() -> FetchError {
    FetchError {
        message: "this worker has no way out".into(),
    }
}

async fn call(
    lane: Rc<LaneLocal>,
    worker: Arc<Worker>,
    target: Arc<ServiceTarget>,
    request: Request<HostBody>,
) -> Result<ServiceAnswer, ServiceError> {
    Ok(lane.call(worker, target, request).await?.into())
}

async fn network(
    client: Client,
    request: Request<HostBody>,
) -> Result<ServiceAnswer, ServiceError> {
    if !is_handshake(request.headers()) {
        return Ok(ServiceAnswer::Response(send(client, request).await?));
    }
    Ok(match open_socket(client, request.map(|_| ())).await? {
        SocketAnswer::Open(headers, end) => ServiceAnswer::Socket(headers, end),
        SocketAnswer::Refused(response) => ServiceAnswer::Response(response),
    })
}
