//! Docker Hub's model, played to both sides: by a closure to the simulator, over HTTP to Linux.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use learn::hub::docker::{Addresses, Plain};
use learn::hub::{Catalog, DockerHub};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, OnceLock};

/// What the hub does with a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layers {
    /// Delivers it.
    #[default]
    Sound,
    /// Delivers another one: a sound archive of the same length with other bytes in its file.
    Altered,
}

/// One side's hub, and where the other side finds it.
#[derive(Clone)]
pub struct Played {
    hub: Arc<DockerHub>,
    layers: Layers,
}

/// The images are made once: both sides must see the same digests.
fn catalog() -> Arc<Catalog> {
    static CATALOG: OnceLock<Arc<Catalog>> = OnceLock::new();
    CATALOG.get_or_init(|| Arc::new(Catalog::builtin())).clone()
}

/// Two ports, one for registry and token service and one for the CDN, and the addresses they make.
pub struct Ports {
    listeners: [TcpListener; 2],
    pub addresses: Addresses,
}

impl Ports {
    pub fn open() -> Ports {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let listeners = [bind(), bind()];
        let [registry, cdn] =
            listeners.each_ref().map(|port| format!("http://{}", port.local_addr().expect("bound")));
        let token = format!("{registry}/token");
        Ports { listeners, addresses: Addresses { registry, token, cdn } }
    }

    /// Serves a hub until the runtime ends.
    pub fn serve(self, played: Played) {
        for (port, base) in self.listeners.into_iter().zip([self.addresses.registry, self.addresses.cdn]) {
            port.set_nonblocking(true).expect("a socket");
            let port = tokio::net::TcpListener::from_std(port).expect("a socket");
            let router = Router::new().fallback(over_http).with_state((played.clone(), base));
            tokio::spawn(async move { axum::serve(port, router).await });
        }
    }
}

impl Played {
    pub fn new(addresses: &Addresses, layers: Layers) -> Played {
        Played { hub: Arc::new(DockerHub::new(catalog(), addresses.clone())), layers }
    }

    pub fn answer(&self, method: &str, url: &str, headers: &[(String, String)]) -> Option<Plain> {
        let (status, headers, body) = self.hub.answer(method, url, headers)?;
        let is_layer =
            headers.iter().any(|(name, value)| name == "content-type" && value.ends_with("tar+gzip"));
        if self.layers == Layers::Sound || !is_layer || body.is_empty() {
            return Some((status, headers, body));
        }
        Some((status, headers, altered(&body)))
    }
}

async fn over_http(State((played, base)): State<(Played, String)>, request: Request) -> Response {
    let url = format!("{base}{}", request.uri());
    let text = |value: &axum::http::HeaderValue| value.to_str().expect("ascii").to_owned();
    let headers: Vec<(String, String)> =
        request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let method = request.method().to_string();
    let answer =
        tokio::task::spawn_blocking(move || played.answer(&method, &url, &headers)).await.expect("an answer");
    let Some((status, headers, body)) = answer else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).expect("a response")
}

/// The archive with half of its file blank, as many bytes long: only the digest tells.
fn altered(layer: &Bytes) -> Bytes {
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(&layer[..]).read_to_end(&mut tar).expect("gzip");
    let (from, to) = (tar.len() / 4, tar.len() * 3 / 4);
    tar[from..to].fill(b'x');
    let compress = |comment: Option<String>| -> Vec<u8> {
        let builder = match comment {
            Some(text) => flate2::GzBuilder::new().comment(text),
            None => flate2::GzBuilder::new(),
        };
        let mut gzip = builder.write(Vec::new(), flate2::Compression::best());
        gzip.write_all(&tar).expect("in memory");
        gzip.finish().expect("in memory")
    };
    // A comment in the header makes up for what compresses better; it ends with a zero byte.
    let missing = layer.len().checked_sub(compress(None).len() + 1).expect("less to compress");
    let altered = compress(Some(" ".repeat(missing)));
    assert_eq!(altered.len(), layer.len());
    altered.into()
}
