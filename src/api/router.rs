//! Which request goes where: one table.

use super::status::Refusal;
use super::version::ApiVersion;
use super::{
    attach, container, exec, files, image, lifecycle, network, stats, swarm, system, trace, unsupported,
};
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
        .route("/containers/prune", post(lifecycle::prune))
        .route("/containers/{id}", delete(container::remove))
        .route("/containers/{id}/json", get(container::inspect))
        .route("/containers/{id}/start", post(container::start))
        .route("/containers/{id}/stop", post(container::stop))
        .route("/containers/{id}/kill", post(container::kill))
        .route("/containers/{id}/restart", post(lifecycle::restart))
        .route("/containers/{id}/pause", post(lifecycle::pause))
        .route("/containers/{id}/unpause", post(lifecycle::unpause))
        .route("/containers/{id}/rename", post(lifecycle::rename))
        .route("/containers/{id}/update", post(lifecycle::update))
        .route("/containers/{id}/wait", post(container::wait))
        .route("/containers/{id}/logs", get(container::logs))
        .route("/containers/{id}/stats", get(stats::stats))
        .route("/containers/{id}/attach", post(attach::attach))
        .route("/containers/{id}/resize", post(container::resize))
        .route("/containers/{id}/exec", post(exec::create))
        .route("/containers/{id}/top", get(exec::top))
        .route("/exec/{id}/start", post(exec::start))
        .route("/exec/{id}/resize", post(exec::resize))
        .route("/exec/{id}/json", get(exec::inspect))
        .route("/containers/{id}/archive", get(files::read).head(files::stat).put(files::write))
        .route("/containers/{id}/changes", get(files::changes))
        .route("/containers/{id}/export", get(files::export))
        .route("/commit", post(files::commit))
        .route("/networks", get(network::list))
        .route("/networks/create", post(network::create))
        .route("/networks/prune", post(network::prune))
        .route("/networks/{id}", get(network::inspect).delete(network::remove))
        .route("/networks/{id}/connect", post(network::connect))
        .route("/networks/{id}/disconnect", post(network::disconnect))
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
