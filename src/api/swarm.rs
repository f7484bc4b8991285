//! What an engine answers that is no swarm manager and has no plugins.

use super::status::Refusal;
use super::unsupported;
use crate::engine::Engine;
use crate::error::Kind;
use crate::wire::ErrorBody;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use std::sync::Arc;

/// What only a manager has.
const MANAGED: [&str; 6] = ["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs"];

const NO_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
                          connect this node to swarm and try again.";

/// The routes of swarms and plugins.
pub(super) fn routes() -> Router<Arc<Engine>> {
    let managed = MANAGED.into_iter().fold(Router::new(), |router, path| {
        router.route(path, any(no_manager)).route(&format!("{path}/{{*rest}}"), any(no_manager))
    });
    managed
        .route("/swarm/init", post(unsupported::answer))
        .route("/swarm/join", post(unsupported::answer))
        .route("/swarm/leave", post(not_part))
        .route("/plugins", get(plugins))
        .route("/plugins/pull", post(unsupported::answer))
        .route("/plugins/create", post(unsupported::answer))
        .route("/plugins/privileges", get(unsupported::answer))
        .route("/plugins/{name}", any(plugin))
        .route("/plugins/{name}/{verb}", any(plugin))
}

/// 503, which no class of failure stands for: the daemon itself is well.
fn unavailable(message: &str) -> Response {
    let body = ErrorBody { message: message.to_owned(), hint: None };
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

async fn no_manager() -> Response {
    unavailable(NO_MANAGER)
}

/// `POST /swarm/leave`.
async fn not_part() -> Response {
    unavailable("This node is not part of a swarm")
}

/// `GET /plugins`: an empty list.
async fn plugins() -> Json<[(); 0]> {
    Json([])
}

/// Everything about one plugin.
async fn plugin(Path(parts): Path<Vec<(String, String)>>) -> Refusal {
    let name = parts.first().map(|(_, name)| name.as_str()).unwrap_or_default();
    Refusal { kind: Kind::NotFound, message: format!("plugin {name:?} not found"), hint: None }
}
