//! bollard reads every answer into types made from Docker's own description of the API, so a field
//! of the wrong kind is a failure here.

use super::live::{Live, privileged};
use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bollard::models::{ContainerConfig, ContainerCreateBody, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CommitContainerOptionsBuilder, CreateContainerOptionsBuilder,
    DownloadFromContainerOptionsBuilder, EventsOptionsBuilder, InspectContainerOptions,
    ListContainersOptionsBuilder, ListImagesOptions, LogsOptionsBuilder, PruneContainersOptions,
    RemoveContainerOptionsBuilder, RemoveImageOptions, StartContainerOptions, WaitContainerOptions,
};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::future::Future;
use tokio::io::AsyncWriteExt;

/// Runs a test against a daemon of its own; what is refused with 501 is said and fails nothing.
fn with<F: Future<Output = Result<(), Error>>>(what: &str, test: impl FnOnce(Docker) -> F) {
    if !privileged() {
        return;
    }
    let live = super::daemon();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let done = runtime.block_on(async {
        let docker = connect(&live).negotiate_version().await?;
        test(docker).await
    });
    match done {
        Err(Error::DockerResponseServerError { status_code: 501, message }) => {
            eprintln!("bollard: not yet: {what}: {message}");
        }
        done => done.unwrap_or_else(|error| panic!("{what}: {error}")),
    }
}

fn connect(live: &Live) -> Docker {
    let seconds = 60;
    Docker::connect_with_unix(&live.host(), seconds, bollard::API_DEFAULT_VERSION).expect("a client")
}

/// Creates a container of alpine.
async fn create(docker: &Docker, name: &str, command: &[&str]) -> Result<String, Error> {
    let options = CreateContainerOptionsBuilder::default().name(name).build();
    let body = ContainerCreateBody {
        image: Some("alpine".to_owned()),
        cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
        open_stdin: Some(true),
        stdin_once: Some(true),
        labels: Some(HashMap::from([("role".to_owned(), name.to_owned())])),
        ..ContainerCreateBody::default()
    };
    Ok(docker.create_container(Some(options), body).await?.id)
}

async fn start(docker: &Docker, name: &str, command: &[&str]) -> Result<String, Error> {
    let id = create(docker, name, command).await?;
    docker.start_container(&id, None::<StartContainerOptions>).await?;
    Ok(id)
}

/// Waits for the end and gives the code.
async fn ended(docker: &Docker, id: &str) -> Result<i64, Error> {
    match docker.wait_container(id, None::<WaitContainerOptions>).next().await {
        Some(Ok(response)) => Ok(response.status_code),
        Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
        Some(Err(error)) => Err(error),
        None => panic!("{id}: no answer to wait"),
    }
}

/// What came on each of two streams.
async fn both(
    mut output: impl StreamExt<Item = Result<LogOutput, Error>> + Unpin,
) -> Result<(String, String), Error> {
    let (mut out, mut err) = (String::new(), String::new());
    while let Some(piece) = output.next().await {
        match piece? {
            LogOutput::StdErr { message } => err += &String::from_utf8_lossy(&message),
            other => out += &other.to_string(),
        }
    }
    Ok((out, err))
}

const BOTH: [&str; 3] = ["sh", "-c", "echo out; echo err >&2; exit 4"];

#[test]
fn a_life_from_create_to_remove() {
    with("a life", async |docker| {
        let id = create(&docker, "lives", &BOTH).await?;
        let inspect = async || docker.inspect_container(&id, None::<InspectContainerOptions>).await;
        assert_eq!(inspect().await?.name.as_deref(), Some("/lives"));
        docker.start_container(&id, None::<StartContainerOptions>).await?;
        assert_eq!(ended(&docker, &id).await?, 4);
        assert_eq!(inspect().await?.state.and_then(|state| state.exit_code), Some(4));
        let filters = HashMap::from([("label", vec!["role=lives"])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let listed = docker.list_containers(Some(options)).await?;
        assert_eq!(listed.into_iter().map(|one| one.id).collect::<Vec<_>>(), [Some(id.clone())]);
        docker.remove_container(&id, None).await?;
        let gone = inspect().await.expect_err("it is gone");
        assert!(matches!(gone, Error::DockerResponseServerError { status_code: 404, .. }), "{gone}");
        Ok(())
    });
}

#[test]
fn attach_and_logs_carry_both_streams() {
    with("attach and logs", async |docker| {
        let id = create(&docker, "talks", &BOTH).await?;
        let options = AttachContainerOptionsBuilder::default().stream(true).stdout(true).stderr(true).build();
        let AttachContainerResults { output, .. } = docker.attach_container(&id, Some(options)).await?;
        docker.start_container(&id, None::<StartContainerOptions>).await?;
        assert_eq!(both(output).await?, ("out\n".to_owned(), "err\n".to_owned()));
        let options = LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).build();
        let logs = docker.logs(&id, Some(options));
        assert_eq!(both(Box::pin(logs)).await?, ("out\n".to_owned(), "err\n".to_owned()));
        Ok(())
    });
}

#[test]
fn attach_carries_input_and_its_end() {
    with("attach with input", async |docker| {
        let id = create(&docker, "reads", &["cat"]).await?;
        let options = AttachContainerOptionsBuilder::default().stream(true).stdin(true).stdout(true).build();
        let AttachContainerResults { output, mut input } =
            docker.attach_container(&id, Some(options)).await?;
        docker.start_container(&id, None::<StartContainerOptions>).await?;
        input.write_all(b"typed\n").await?;
        input.shutdown().await?;
        assert_eq!(both(output).await?.0, "typed\n");
        assert_eq!(ended(&docker, &id).await?, 0);
        Ok(())
    });
}

#[test]
fn exec_gives_output_and_code() {
    with("exec", async |docker| {
        let id = start(&docker, "runs", &["sleep", "1000"]).await?;
        let options = CreateExecOptions {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(BOTH.to_vec()),
            ..CreateExecOptions::default()
        };
        let job = docker.create_exec(&id, options).await?.id;
        let StartExecResults::Attached { output, .. } =
            docker.start_exec(&job, None::<StartExecOptions>).await?
        else {
            panic!("it is attached")
        };
        assert_eq!(both(output).await?, ("out\n".to_owned(), "err\n".to_owned()));
        assert_eq!(docker.inspect_exec(&job).await?.exit_code, Some(4));
        let force = RemoveContainerOptionsBuilder::default().force(true).build();
        docker.remove_container(&id, Some(force)).await
    });
}

#[test]
fn events_tell_a_life() {
    with("events", async |docker| {
        let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let filters = HashMap::from([("label", vec!["role=told"])]);
        let since = begun.as_secs().to_string();
        let options = EventsOptionsBuilder::default().since(&since).filters(&filters).build();
        let id = start(&docker, "told", &["true"]).await?;
        ended(&docker, &id).await?;
        docker.remove_container(&id, None).await?;
        let events = docker.events(Some(options)).map_ok(|event| event.action.unwrap_or_default());
        let actions: Vec<String> = events.take(4).try_collect().await?;
        assert_eq!(actions, ["create", "start", "die", "destroy"]);
        Ok(())
    });
}

#[test]
fn version_info_and_images_are_of_dockers_types() {
    with("version and info", async |docker| {
        assert_eq!(docker.ping().await?, "OK");
        assert_eq!(docker.version().await?.os.as_deref(), Some("linux"));
        assert!(docker.info().await?.images.is_some_and(|images| images >= 2));
        let images = docker.list_images(None::<ListImagesOptions>).await?;
        let mut tags: Vec<String> = images.into_iter().flat_map(|image| image.repo_tags).collect();
        tags.sort();
        assert_eq!(tags, ["alpine:latest", "hello-world:latest"]);
        let image = docker.inspect_image("alpine").await?;
        assert_eq!(image.config.and_then(|config| config.cmd), Some(vec!["/bin/sh".to_owned()]));
        let removed = docker.remove_image("hello-world", None::<RemoveImageOptions>, None).await?;
        assert_eq!(removed[0].untagged.as_deref(), Some("hello-world:latest"));
        Ok(())
    });
}

#[test]
fn an_archive_comes_out() {
    with("archive", async |docker| {
        let id = create(&docker, "holds", &["true"]).await?;
        let options = DownloadFromContainerOptionsBuilder::default().path("/etc/passwd").build();
        let pieces: Vec<_> = docker.download_from_container(&id, Some(options)).try_collect().await?;
        let bytes = pieces.concat();
        let mut archive = tar::Archive::new(&bytes[..]);
        let names = archive.entries()?.map(|entry| Ok(entry?.path()?.display().to_string()));
        assert_eq!(names.collect::<Result<Vec<_>, std::io::Error>>()?, ["passwd"]);
        Ok(())
    });
}

#[test]
fn a_commit_is_an_image() {
    with("commit", async |docker| {
        let id = create(&docker, "kept", &["true"]).await?;
        let options = CommitContainerOptionsBuilder::default().container(&id).repo("kept").tag("1").build();
        docker.commit_container(options, ContainerConfig::default()).await?;
        assert_eq!(docker.inspect_image("kept:1").await?.repo_tags, Some(vec!["kept:1".to_owned()]));
        Ok(())
    });
}

#[test]
fn prune_takes_what_is_over() {
    with("prune", async |docker| {
        let id = start(&docker, "over", &["true"]).await?;
        ended(&docker, &id).await?;
        let pruned = docker.prune_containers(None::<PruneContainersOptions>).await?;
        assert_eq!(pruned.containers_deleted, Some(vec![id]));
        Ok(())
    });
}

#[test]
fn volumes_and_networks_are_of_dockers_types() {
    with("volumes and networks", async |docker| {
        let volume = VolumeCreateRequest { name: Some("data".to_owned()), ..VolumeCreateRequest::default() };
        assert_eq!(docker.create_volume(volume).await?.name, "data");
        assert_eq!(docker.inspect_volume("data").await?.driver, "local");
        docker.remove_volume("data", None::<bollard::query_parameters::RemoveVolumeOptions>).await?;
        let network = NetworkCreateRequest { name: "met".to_owned(), ..NetworkCreateRequest::default() };
        let id = docker.create_network(network).await?.id;
        assert_eq!(docker.inspect_network("met", None).await?.id, Some(id));
        docker.remove_network("met").await
    });
}
