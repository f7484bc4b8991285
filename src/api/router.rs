//! Which request goes where: one table.

use super::status::Refusal;
use super::version::ApiVersion;
use super::{attach, container, image, swarm, system, trace, unsupported};
use crate::engine::Engine;
use crate::error::Kind;
use crate::kernel::TracedHost;
use axum::Router;
use axum::routing::{delete, get, post};
use std::sync::Arc;

/// What every handler knows of its request.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// Through which it acts.
    pub door: TracedHost,
    /// As the client speaks.
    pub version: ApiVersion,
}

/// The router; cheap to clone, a connection each.
pub(super) fn build(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/_ping", get(system::ping))
        .route("/version", get(system::version))
        .route("/info", get(system::info))
        .route("/events", get(system::events))
        .route("/containers/json", get(container::list))
        .route("/containers/create", post(container::create))
        .route("/containers/{id}", delete(container::remove))
        .route("/containers/{id}/json", get(container::inspect))
        .route("/containers/{id}/start", post(container::start))
        .route("/containers/{id}/stop", post(container::stop))
        .route("/containers/{id}/kill", post(container::kill))
        .route("/containers/{id}/wait", post(container::wait))
        .route("/containers/{id}/logs", get(container::logs))
        .route("/containers/{id}/attach", post(attach::attach))
        .route("/images/json", get(image::list))
        .route("/images/create", post(image::create))
        .route("/images/{*name}", get(image::inspect).post(unsupported::answer).delete(image::remove))
        .route("/learn/traces", get(trace::list).post(trace::open))
        .route("/learn/traces/{id}", get(trace::show))
        .route("/learn/traces/{id}/records", get(trace::records))
        .route("/learn/traces/{id}/decision", post(trace::decide))
        .route("/learn/traces/{id}/close", post(trace::close))
        .route("/learn/watch", get(trace::watch))
        .merge(swarm::routes())
        .fallback(unsupported::answer)
        .method_not_allowed_fallback(unsupported::answer)
        .with_state(engine)
}

/// Docker's answer to what nobody serves.
pub(super) fn not_found() -> Refusal {
    Refusal { kind: Kind::NotFound, message: "page not found".into(), hint: None }
}
