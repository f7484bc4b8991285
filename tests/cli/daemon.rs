//! A daemon that answers from a script and remembers what it was asked, so that the command line
//! can be judged alone.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use futures_util::stream;
use hyper_util::rt::TokioIo;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// One answer.
#[derive(Clone)]
pub enum Reply {
    /// A status and a body.
    Plain(u16, String),
    /// 101, then these frames (1 output, 2 error output), then the end.
    Frames(Vec<(u8, &'static str)>),
    /// 101, then what the client sends until it half-closes, as output.
    Echo,
    /// 101, then silence until something was killed.
    UntilKill,
    /// Headers at once, this body after the start.
    AfterStart(String),
    /// Headers at once, this body after a kill.
    AfterKill(String),
    /// These lines, then a connection that stays open until the client leaves.
    Stays(String),
    /// A session that is followed: its id, and these lines after it was closed.
    Session(&'static str, String),
}

/// What happened so far: `start`, `kill`, `close`.
type Happened = watch::Sender<Vec<&'static str>>;

struct Script {
    version: &'static str,
    replies: Mutex<HashMap<String, VecDeque<Reply>>>,
    asked: Mutex<Vec<Asked>>,
    happened: Happened,
    connections: Arc<AtomicUsize>,
}

/// Counts the connections it takes.
struct Counting {
    listener: UnixListener,
    connections: Arc<AtomicUsize>,
}

impl axum::serve::Listener for Counting {
    type Io = UnixStream;
    type Addr = tokio::net::unix::SocketAddr;

    async fn accept(&mut self) -> (UnixStream, Self::Addr) {
        let accepted = self.listener.accept().await.unwrap();
        self.connections.fetch_add(1, Ordering::SeqCst);
        accepted
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `POST /v1.47/containers/create?name=x`.
    pub line: String,
    pub session: Option<String>,
    pub hub: Option<String>,
    pub body: String,
}

/// The daemon; it ends with the test.
pub struct Daemon {
    directory: TempDir,
    script: Arc<Script>,
    _runtime: Runtime,
}

impl Daemon {
    /// A daemon of API 1.47.
    pub fn new(replies: &[(&str, Reply)]) -> Daemon {
        Daemon::of_version("1.47", replies)
    }

    /// Several replies to one request are given one after another, the last one for ever.
    pub fn of_version(version: &'static str, replies: &[(&str, Reply)]) -> Daemon {
        let directory = tempfile::tempdir().unwrap();
        let mut queues: HashMap<String, VecDeque<Reply>> = HashMap::new();
        for (line, reply) in replies {
            queues.entry((*line).to_owned()).or_default().push_back(reply.clone());
        }
        let script = Arc::new(Script {
            version,
            replies: Mutex::new(queues),
            asked: Mutex::default(),
            happened: Happened::new(Vec::new()),
            connections: Arc::default(),
        });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = {
            let _inside = runtime.enter();
            UnixListener::bind(directory.path().join("learn.sock")).unwrap()
        };
        let app = Router::new().fallback(answer).with_state(script.clone());
        let counting = Counting { listener, connections: script.connections.clone() };
        runtime.spawn(async move { axum::serve(counting, app).await });
        Daemon { directory, script, _runtime: runtime }
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.directory.path().join("learn.sock").display())
    }

    pub fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.script.asked.lock().unwrap().clone()
    }

    /// The requests, one a line, without their bodies.
    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    /// Connections taken so far.
    pub fn connections(&self) -> usize {
        self.script.connections.load(Ordering::SeqCst)
    }

    /// Waits until a request that contains `part` has come.
    pub fn wait_for(&self, part: &str) {
        let mut happened = self.script.happened.subscribe();
        self._runtime.block_on(async {
            while !self.lines().iter().any(|line| line.contains(part)) {
                happened.changed().await.unwrap();
            }
        });
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let upgrade = parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let asked = Asked {
        line: format!("{} {}", parts.method, parts.uri),
        session: header("learn-trace"),
        hub: header("learn-hub"),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    script.asked.lock().unwrap().push(asked);
    let path = parts.uri.path().to_owned();
    script.happened.send_modify(|happened| {
        let known = [("/start", "start"), ("/kill", "kill"), ("/close", "close")];
        happened.extend(known.iter().filter(|(end, _)| path.ends_with(end)).map(|(_, what)| *what));
    });
    if path == "/_ping" {
        return Response::builder().header("Api-Version", script.version).body(Body::empty()).unwrap();
    }
    let bare = path.strip_prefix(&format!("/v{}", script.version)).unwrap_or(&path);
    match script.next(&parts.method, bare) {
        Some(reply) => reply.response(&script, upgrade),
        None => {
            let message = format!("{{\"message\":\"not in the script: {} {bare}\"}}", parts.method);
            Response::builder().status(500).body(message.into()).unwrap()
        }
    }
}

impl Script {
    fn next(&self, method: &Method, path: &str) -> Option<Reply> {
        let mut replies = self.replies.lock().unwrap();
        let queue = replies.get_mut(&format!("{method} {path}"))?;
        if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
    }

    /// Ends when `what` has happened.
    fn after(&self, what: &'static str) -> impl Future<Output = ()> + Send + 'static {
        let mut happened = self.happened.subscribe();
        async move {
            let _ = happened.wait_for(|happened| happened.contains(&what)).await;
        }
    }
}

impl Reply {
    fn response(self, script: &Arc<Script>, upgrade: Option<hyper::upgrade::OnUpgrade>) -> Response {
        let mut session = None;
        let (what, body) = match self {
            Reply::Plain(status, body) => {
                return Response::builder().status(status).body(body.into()).unwrap();
            }
            Reply::AfterStart(body) => ("start", body),
            Reply::AfterKill(body) => ("kill", body),
            Reply::Session(id, body) => {
                session = Some(id);
                ("close", body)
            }
            Reply::Stays(body) => return Response::new(stays(body)),
            attach => return attach.hijack(script, upgrade.expect("an upgrade")),
        };
        let waited = script.after(what);
        let later = stream::once(async move {
            waited.await;
            Ok::<_, std::io::Error>(Bytes::from(body))
        });
        let response = match session {
            Some(id) => Response::builder().status(201).header("learn-trace", id),
            None => Response::builder(),
        };
        response.body(Body::from_stream(later)).unwrap()
    }

    fn hijack(self, script: &Arc<Script>, upgrade: hyper::upgrade::OnUpgrade) -> Response {
        let (started, killed) = (script.after("start"), script.after("kill"));
        tokio::spawn(async move {
            let mut stream = TokioIo::new(upgrade.await.unwrap());
            started.await;
            match self {
                Reply::Frames(frames) => {
                    for (source, text) in frames {
                        stream.write_all(&frame(source, text.as_bytes())).await.unwrap();
                    }
                }
                Reply::Echo => {
                    let mut input = Vec::new();
                    stream.read_to_end(&mut input).await.unwrap();
                    stream.write_all(&frame(1, &input)).await.unwrap();
                }
                _ => killed.await,
            }
            stream.shutdown().await.unwrap();
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("Connection", "Upgrade")
            .header("Upgrade", "tcp")
            .body(Body::empty())
            .unwrap()
    }
}

fn stays(body: String) -> Body {
    let first = stream::once(async move { Ok::<_, std::io::Error>(Bytes::from(body)) });
    Body::from_stream(futures_util::StreamExt::chain(first, stream::pending()))
}

/// Docker's frame: stream, three zeros, length, bytes.
pub fn frame(source: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[source, 0, 0, 0], &length[..], bytes].concat()
}

/// A JSON reply with 200.
pub fn json(body: &str) -> Reply {
    Reply::Plain(200, body.to_owned())
}

/// The daemon's error body.
pub fn error(status: u16, message: &str) -> Reply {
    Reply::Plain(status, serde_json::json!({ "message": message }).to_string())
}
