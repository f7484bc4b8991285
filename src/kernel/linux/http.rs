//! Requests over the network: one [`HttpOp`] is one request, and redirects, retries and
//! credentials are the caller's business (`image::registry`).
//!
//! Clients are built when first needed, one per way of trusting the other side: a daemon that has
//! never pulled holds no certificate and no connection pool.

use super::super::{Fault, Outcome, Payload, Response, Value};
use super::host::Transport;
use crate::error::{Hint, Kind};
use crate::op::HttpOp;
use crate::trace::Facts;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt};
use reqwest::{Certificate, Client, ClientBuilder, Method, Url, redirect};
use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long a TCP and TLS handshake may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// How long a body may stand still before it counts as broken.
const STALL_LIMIT: Duration = Duration::from_secs(60);

/// Where distributions keep their certificate authorities; `SSL_CERT_FILE` and `SSL_CERT_DIR`
/// come first.
const CA_PLACES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs/ca-bundle.crt",
];

/// Response headers worth showing; the others are not evidence of anything.
const SHOWN_HEADERS: [&str; 9] = [
    "content-type",
    "content-length",
    "content-range",
    "docker-content-digest",
    "www-authenticate",
    "ratelimit-limit",
    "ratelimit-remaining",
    "retry-after",
    "server",
];

/// Which hosts (`name` or `name:port`) may show any certificate: `insecure-registries`.
pub type TrustsAnything = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The network door of the real host.
pub struct Http {
    insecure: TrustsAnything,
    clients: [OnceLock<Client>; 4],
}

/// How the other side is reached and trusted.
#[derive(Clone, Copy)]
enum Route {
    /// This machine: no proxy, no certificate asked for (Docker's rule for 127.0.0.0/8).
    Loopback,
    /// Plain HTTP, through the environment's proxy if there is one.
    Plain,
    /// HTTPS, checked against the machine's authorities.
    Checked,
    /// HTTPS to a host the configuration calls insecure.
    Unchecked,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

impl Transport for Http {
    fn request<'a>(&'a self, op: &'a HttpOp, payload: Payload) -> BoxFuture<'a, Result<Outcome, Fault>> {
        Box::pin(self.perform(op, payload))
    }
}

impl Http {
    /// A door that builds its clients at need.
    pub fn new(insecure: TrustsAnything) -> Http {
        Http { insecure, clients: Default::default() }
    }

    /// Sends one request and returns as soon as the status line and headers are there; the body
    /// streams. The true URL and headers are in [`Payload::Request`], else the operation's own.
    ///
    /// # Errors
    /// A URL that is none ([`Kind::Invalid`]); a name that does not resolve, a refused
    /// connection, an untrusted certificate ([`Kind::Unavailable`], with a hint each).
    pub async fn perform(&self, op: &HttpOp, payload: Payload) -> Result<Outcome, Fault> {
        let HttpOp::Request { method, url, headers } = op;
        let (url, headers, body) = match payload {
            Payload::Request { url, headers, body } => (url, headers, body.map(reqwest::Body::from)),
            Payload::Upload { url, mut headers, size, bytes } => {
                headers.push(("Content-Length".into(), size.to_string()));
                (url, headers, Some(reqwest::Body::wrap_stream(bytes)))
            }
            _ => (url.clone(), headers.clone(), None),
        };
        let invalid = |what: &str| Fault::new(Kind::Invalid, format!("{what} in the request for {url:?}"));
        let address = Url::parse(&url).map_err(|_| invalid("not a url"))?;
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| invalid("not a method"))?;
        let mut request = self.client(&address)?.request(method, address.clone());
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send().await.map_err(|error| fault(&error, &address))?;
        Ok(outcome(answer))
    }

    fn client(&self, url: &Url) -> Result<&Client, Fault> {
        let route = self.route(url);
        let cell = &self.clients[route as usize];
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = build(route).map_err(|error| {
            Fault::new(Kind::Internal, format!("build the http client: {}", chain(&error)))
        })?;
        Ok(cell.get_or_init(|| client))
    }

    fn route(&self, url: &Url) -> Route {
        let host = url.host_str().unwrap_or_default();
        let with_port = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        if is_loopback(host) {
            Route::Loopback
        } else if url.scheme() == "http" {
            Route::Plain
        } else if (self.insecure)(&with_port) {
            Route::Unchecked
        } else {
            Route::Checked
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn build(route: Route) -> reqwest::Result<Client> {
    // A second call finds the provider installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(STALL_LIMIT)
        .user_agent(concat!("learn/", env!("CARGO_PKG_VERSION")));
    match route {
        Route::Loopback => unchecked(builder).no_proxy(),
        Route::Plain | Route::Unchecked => unchecked(builder),
        Route::Checked => checked(builder),
    }
    .build()
}

/// No authority is loaded where none is asked.
fn unchecked(builder: ClientBuilder) -> ClientBuilder {
    builder.tls_danger_accept_invalid_certs(true)
}

/// The machine's authorities, or Mozilla's list from this binary where the machine has none.
fn checked(builder: ClientBuilder) -> ClientBuilder {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    if named || CA_PLACES.iter().any(|place| Path::new(place).exists()) {
        return builder;
    }
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    builder.tls_certs_only(roots.iter().filter_map(|der| Certificate::from_der(der).ok()))
}

fn outcome(answer: reqwest::Response) -> Outcome {
    let status = answer.status();
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<(String, String)> =
        answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let mut facts = Facts::new();
    facts.insert("status".into(), status.to_string());
    facts.insert("version".into(), format!("{:?}", answer.version()));
    for (name, value) in &headers {
        if SHOWN_HEADERS.contains(&name.as_str()) {
            facts.insert(name.clone(), value.clone());
        } else if name == "location" {
            // Signed addresses carry their secret in the query.
            facts.insert(name.clone(), value.split('?').next().unwrap_or_default().to_owned());
        }
    }
    let body = answer.bytes_stream().map_err(|error| io::Error::other(chain(&error))).boxed();
    Outcome { facts, value: Value::Response(Response { status: status.as_u16(), headers, body }) }
}

/// What went wrong on the way, in the words Docker's users search for.
fn fault(error: &reqwest::Error, url: &Url) -> Fault {
    let host = url.host_str().unwrap_or_default();
    let place = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
    let text = chain(error);
    if let Some(tls) = find_tls(error) {
        let message = match tls {
            rustls::Error::InvalidMessage(_) => "server gave HTTP response to HTTPS client".to_owned(),
            other => {
                format!("tls: failed to verify certificate of {host}: {}", describe_tls(other))
            }
        };
        return Fault::new(Kind::Unavailable, message).hint(Hint::TrustCertificate);
    }
    let unavailable = |message: String| Fault::new(Kind::Unavailable, message).hint(Hint::CheckNetwork);
    if text.contains("dns error") {
        return unavailable(format!("dial tcp: lookup {host}: no such host"));
    }
    if let Some(source) = find_io(error).filter(|source| source.raw_os_error().is_some()) {
        let mut fault = Fault::from(io::Error::from_raw_os_error(source.raw_os_error().unwrap_or_default()));
        fault.message = format!("dial tcp {place}: connect: {}", fault.message);
        return Fault { kind: Kind::Unavailable, hint: Some(Hint::CheckNetwork), ..fault };
    }
    if error.is_timeout() {
        return unavailable(format!("dial tcp {place}: i/o timeout"));
    }
    unavailable(format!("{place}: {text}"))
}

fn sources(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

fn find_io(error: &reqwest::Error) -> Option<&io::Error> {
    sources(error).filter_map(|source| source.downcast_ref::<io::Error>()).last()
}

/// rustls travels inside an [`io::Error`], or inside one within another; their `source` skips it.
fn find_tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    sources(error).find_map(tls_within)
}

fn tls_within<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls);
    }
    tls_within(error.downcast_ref::<io::Error>()?.get_ref()?)
}

/// What is wrong with a certificate, in the words people search for.
fn describe_tls(error: &rustls::Error) -> String {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, UnknownIssuer,
    };
    match error {
        rustls::Error::InvalidCertificate(UnknownIssuer) => {
            "x509: certificate signed by unknown authority".to_owned()
        }
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => {
            "x509: certificate has expired".to_owned()
        }
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "x509: certificate is valid for other names".to_owned()
        }
        other => lower_first(&other.to_string()),
    }
}

/// The causes below reqwest's own sentence, which only repeats the URL.
fn chain(error: &reqwest::Error) -> String {
    let causes: Vec<String> = sources(error).map(ToString::to_string).collect();
    if causes.is_empty() { error.to_string() } else { causes.join(": ") }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ServerConfig, ServerConnection};
    use std::net::{SocketAddr, TcpListener};

    /// A key nobody trusts and nothing is secured with.
    const UNTRUSTED: &[u8] = include_bytes!("../../../tests/support/registry/untrusted.pem");

    /// Takes one connection and speaks TLS on it with a certificate of its own making.
    fn serve_untrusted() -> SocketAddr {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate = CertificateDer::from_pem_slice(UNTRUSTED).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(UNTRUSTED).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
        let config = Arc::new(config.expect("a pair"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a client");
            let mut session = ServerConnection::new(config).expect("a session");
            // The client hangs up on what it does not trust.
            let _ = session.complete_io(&mut socket);
        });
        address
    }

    async fn refusal(route: Route, url: &str) -> Fault {
        let url = Url::parse(url).expect("a url");
        let client = build(route).expect("a client");
        let error = client.get(url.clone()).send().await.expect_err("no answer");
        fault(&error, &url)
    }

    #[tokio::test]
    async fn an_untrusted_certificate_is_called_that() {
        let fault = refusal(Route::Checked, &format!("https://{}/v2/", serve_untrusted())).await;
        let reason = "x509: certificate signed by unknown authority";
        assert_eq!(fault.message, format!("tls: failed to verify certificate of 127.0.0.1: {reason}"));
        assert_eq!((fault.kind, fault.hint), (Kind::Unavailable, Some(Hint::TrustCertificate)));
    }

    #[tokio::test]
    async fn plain_http_behind_an_https_url_is_recognised() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a client");
            let _ = io::Write::write_all(&mut socket, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        });
        let fault = refusal(Route::Checked, &format!("https://{address}/v2/")).await;
        assert_eq!(fault.message, "server gave HTTP response to HTTPS client");
    }
}
