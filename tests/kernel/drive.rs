//! A client that does what `learn run` does, and the learner at its gate.

use crate::worlds::World;
use futures_util::StreamExt;
use learn::client::container::{Condition, Streams};
use learn::client::image::{Import, Pull};
use learn::client::{Client, Connector, Error, JsonLines, Source, Upload};
use learn::trace::{Decision, Event, Record, Scope, Stop, Trace};
use learn::wire::{Config, CreateRequest, Credentials, HostConfig, JsonMessage, PortBinding, Ulimit};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;

/// Everything a run leaves behind.
#[derive(Debug)]
pub struct Run {
    pub ended: Ended,
    pub records: Vec<Record>,
}

/// How it looked from the client's side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Where it was made.
    pub id: Option<String>,
    /// What the program wrote to its standard output.
    pub output: String,
    /// The daemon's words when something failed.
    pub error: Option<String>,
    /// The program's exit code.
    pub code: Option<i64>,
    /// State and exit code of the container that stays.
    pub left: Option<(String, i64)>,
}

pub fn connector(world: &World) -> Connector {
    let engine = world.engine.clone();
    Arc::new(move || {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        tokio::spawn(learn::api::serve_connection(engine.clone(), theirs));
        Box::pin(std::future::ready(Ok(ours)))
    })
}

/// What is asked of the daemon.
#[derive(Clone, Copy, Default)]
pub struct Asked {
    pub image: &'static str,
    pub command: &'static [&'static str],
    /// With a limit of its own, a published port, and no new privileges.
    pub hardened: bool,
    /// Without a network: what one run builds and the next may find is no part of a scenario.
    pub apart: bool,
    /// Paused and let go, then killed, as soon as it runs, and removed when it is gone, the image after it.
    pub killed: bool,
    /// The scope before which the learner says no.
    pub abort: Option<Scope>,
}

/// Runs an image and takes the trace.
pub async fn run(world: &World, asked: Asked) -> Run {
    let abort = asked.abort;
    let client = Client::new(connector(world));
    let stop = if abort.is_some() { Stop::Stage } else { Stop::Never };
    let session = client.open_trace("run", stop).await.expect("a session");
    client.write_into(&session);
    let trace = world.engine.traces().session(&session).expect("just opened");
    if let Some(scope) = abort {
        tokio::spawn(decide(trace.clone(), scope));
    }
    let mut ended = Ended::default();
    if let Err(error) = steps(&client, asked, &mut ended).await {
        ended.error = Some(error.to_string());
    }
    if let (Some(id), Some(_)) = (&ended.id, abort) {
        // As `learn run` does it: what the learner stopped leaves nothing behind.
        client.remove_container(id, true, true).await.expect("nothing holds it");
    }
    let records = settled(&trace).await;
    ended.left = match &ended.id {
        Some(id) => {
            client.inspect_container(id).await.ok().map(|found| (found.state.status, found.state.exit_code))
        }
        None => None,
    };
    client.close_trace(&session).await.expect("open until now");
    Run { ended, records }
}

fn request(asked: Asked) -> CreateRequest {
    let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let config = Config {
        image: asked.image.into(),
        cmd: if asked.command.is_empty() { None } else { words(asked.command) },
        attach_stdout: true,
        attach_stderr: true,
        ..Config::default()
    };
    let mode = if asked.apart { "none" } else { "default" };
    let mut host_config = HostConfig { network_mode: mode.into(), ..HostConfig::default() };
    if asked.hardened {
        host_config.security_opt = words(&["no-new-privileges"]);
        let anywhere = PortBinding { host_ip: "127.0.0.1".into(), host_port: String::new() };
        host_config.port_bindings = [("80/tcp".to_owned(), Some(vec![anywhere]))].into();
        host_config.ulimits = vec![Ulimit { name: "nofile".into(), soft: 512, hard: 1024 }];
    }
    CreateRequest { config, host_config, ..CreateRequest::default() }
}

async fn steps(client: &Client, asked: Asked, ended: &mut Ended) -> Result<(), Error> {
    let request = request(asked);
    let image = asked.image;
    let created = match client.create_container(None, None, &request).await {
        Err(error) if error.status().is_some_and(|status| status == 404) => {
            pull(client, image).await?;
            client.create_container(None, None, &request).await?
        }
        answer => answer?,
    };
    ended.id = Some(created.id.clone());
    let id = created.id.as_str();
    let attach = Streams { stdout: true, stderr: true, ..Streams::default() };
    let (mut output, input) = client.attach_container(id, attach).await?.split(false);
    let wait = client.wait_container(id, Some(Condition::NextExit)).await?;
    client.start_container(id).await?;
    if asked.killed {
        client.pause_container(id).await?;
        client.unpause_container(id).await?;
        client.kill_container(id, Some("KILL")).await?;
    }
    while let Some((source, bytes)) = output.next_piece().await.expect("frames") {
        if source == Source::Stdout {
            ended.output.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    drop(input);
    ended.code = Some(wait.exit_code().await?);
    if asked.killed {
        client.remove_container(id, false, false).await?;
        move_about(client, image).await?;
        client.remove_image(image, false, false).await?;
    }
    Ok(())
}

/// The image out into an archive and in again, a tar made an image, a name more, and a cleaning.
async fn move_about(client: &Client, image: &str) -> Result<(), Error> {
    let mut archive = client.save_images(&[format!("{image}:latest")]).await?;
    let mut saved = Vec::new();
    while let Some(piece) = archive.next_piece().await? {
        saved.extend_from_slice(&piece);
    }
    client.remove_image(image, false, false).await?;
    drain(client.load_images(whole(saved), true, None).await?).await?;
    let mut files = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(2);
    header.set_mode(0o644);
    files.append_data(&mut header, "file", &b"x\n"[..]).expect("into memory");
    let changes = ["CMD [\"cat\", \"/file\"]".to_owned()];
    let import = Import { name: Some("imported:1"), source: "-", changes: &changes, ..Import::default() };
    let tar = files.into_inner().expect("into memory");
    drain(client.import_image(&import, Some(whole(tar))).await?).await?;
    client.tag_image("imported:1", "docker.io/library/imported", "2").await?;
    client.remove_image("imported:1", false, false).await?;
    client.remove_image("imported:2", false, false).await.map(drop)
}

fn whole(bytes: Vec<u8>) -> Upload {
    futures_util::stream::iter([Ok(bytes.into())]).boxed()
}

async fn drain(mut lines: JsonLines<JsonMessage>) -> Result<(), Error> {
    while let Some(line) = lines.next_line().await? {
        if let Some(detail) = line.error_detail {
            return Err(Error::Stream { message: detail.message, hint: None });
        }
    }
    Ok(())
}

async fn pull(client: &Client, image: &str) -> Result<(), Error> {
    let credentials = &Credentials::default();
    let pull = Pull { name: image, tag: Some("latest"), platform: None, hub: None, credentials };
    drain(client.pull_image(&pull).await?).await
}

/// Says next at every stop until `scope` is about to begin, then abort.
async fn decide(trace: Arc<Trace>, scope: Scope) {
    let mut records = trace.follow();
    let mut kinds: HashMap<u32, Scope> = HashMap::new();
    while let Some(record) = records.recv().await {
        match record.event {
            Event::Opened { id, kind, .. } => drop(kinds.insert(id, kind)),
            Event::Held if kinds.get(&record.scope) == Some(&scope) => trace.gate().decide(Decision::Abort),
            Event::Held => trace.gate().decide(Decision::Next),
            _ => {}
        }
    }
}

/// Everything that was recorded, once each scope that was opened is closed.
async fn settled(trace: &Trace) -> Vec<Record> {
    let mut follower = trace.follow();
    let mut records = Vec::new();
    let mut open: BTreeSet<u32> = BTreeSet::new();
    let closing = async {
        while let Some(record) = follower.recv().await {
            match &record.event {
                Event::Opened { id, .. } => drop(open.insert(*id)),
                Event::Closed { .. } => drop(open.remove(&record.scope)),
                _ => {}
            }
            records.push(record);
            // The history comes at once; what is missing after it is still to come.
            if open.is_empty() && records.len() >= trace.records().len() {
                break;
            }
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(30), closing).await;
    assert!(done.is_ok(), "scopes never closed: {open:?}\n{records:#?}");
    records
}
