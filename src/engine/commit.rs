//! `docker commit`: the writable layer becomes a layer, and the container an image.

use super::diff::writable_layer;
use super::{Engine, Error};
use crate::build::change;
use crate::container::{Record, changes::MOUNT_POINTS};
use crate::image::Reference;
use crate::image::commit::{Draft, Step};
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};
use crate::wire::{Config, ImageConfig};

/// What a client wants of a commit.
#[derive(Clone, Debug, Default)]
pub struct CommitRequest {
    /// Name of the image; none leaves it without.
    pub name: Option<Reference>,
    /// Who made it.
    pub author: String,
    /// One line.
    pub comment: String,
    /// Instructions that change the configuration.
    pub changes: Vec<String>,
    /// The configuration to begin with; the container's where there is none.
    pub config: Option<Config>,
}

impl Engine {
    /// Makes an image of a container; gives its id.
    ///
    /// # Errors
    /// No such container; a change that is none; the disk refuses.
    pub async fn commit(
        &self,
        door: &TracedHost,
        wanted: &str,
        request: CommitRequest,
    ) -> Result<String, Error> {
        let container = self.containers.find(wanted)?;
        let record = container.snapshot();
        let mut config = image_config(request.config.as_ref().unwrap_or(&record.config));
        change::apply_lines(&mut config, &request.changes)?;
        complete(&mut config, &record.config);
        let id = door
            .within(Scope::ContainerCommit, container.short_id(), async |door: TracedHost| {
                self.make_image(&door, &record, &request, config).await
            })
            .await?;
        let name = request.name.as_ref().map(Reference::familiar).unwrap_or_default();
        let told = [("comment", request.comment.clone()), ("imageID", id.clone()), ("imageRef", name)];
        self.events.container(&record, "commit", &told);
        Ok(id)
    }

    async fn make_image(
        &self,
        door: &TracedHost,
        record: &Record,
        request: &CommitRequest,
        config: ImageConfig,
    ) -> Result<String, Error> {
        let upper = writable_layer(record, "commit")?;
        let empty: Vec<String> = MOUNT_POINTS.iter().map(ToString::to_string).collect();
        let layer = self.images.pack(door, upper, &empty, record.short_id()).await?;
        if layer.is_none() {
            door.note(Note::NothingChanged, facts([("upper", &upper)]));
        }
        let created_by = record.config.cmd.clone().unwrap_or_default().join(" ");
        let draft = Draft {
            parent: record.image_id.clone(),
            step: Step {
                created: self.stamp(),
                created_by,
                author: request.author.clone(),
                comment: request.comment.clone(),
            },
            config: serde_json::to_value(&config).map_err(|error| Error::Invalid(error.to_string()))?,
            container: Some((
                record.id.clone(),
                serde_json::to_value(&record.config).map_err(|error| Error::Invalid(error.to_string()))?,
            )),
            layer: layer.clone(),
        };
        let image = self.images.make(door, draft, request.name.as_ref()).await?;
        let diff_id = layer.as_ref().map_or("", |layer| layer.diff_id.as_str());
        let committed = facts([("id", &image.id), ("parent", &record.image_id), ("diff-id", &diff_id)]);
        door.note(Note::Committed, committed);
        Ok(image.id)
    }
}

/// The part of a container's configuration that an image has.
fn image_config(config: &Config) -> ImageConfig {
    ImageConfig {
        user: config.user.clone(),
        exposed_ports: config.exposed_ports.clone(),
        env: config.env.clone(),
        cmd: config.cmd.clone(),
        healthcheck: config.healthcheck.clone(),
        volumes: config.volumes.clone(),
        working_dir: config.working_dir.clone(),
        entrypoint: config.entrypoint.clone(),
        on_build: None,
        labels: Some(config.labels.clone()).filter(|labels| !labels.is_empty()),
        stop_signal: config.stop_signal.clone(),
        shell: config.shell.clone(),
    }
}

/// What the request's configuration leaves open is the container's.
fn complete(config: &mut ImageConfig, of: &Config) {
    if config.user.is_empty() {
        config.user.clone_from(&of.user);
    }
    for (port, value) in &of.exposed_ports {
        config.exposed_ports.entry(port).or_insert_with(|| value.clone());
    }
    let named = |env: &[String], name: &str| env.iter().any(|entry| entry.split('=').next() == Some(name));
    for entry in &of.env {
        if !named(&config.env, entry.split('=').next().unwrap_or_default()) {
            config.env.push(entry.clone());
        }
    }
    if config.entrypoint.is_none() {
        if config.cmd.is_none() {
            config.cmd.clone_from(&of.cmd);
        }
        config.entrypoint.clone_from(&of.entrypoint);
    }
    if config.working_dir.is_empty() {
        config.working_dir.clone_from(&of.working_dir);
    }
    for (path, value) in of.volumes.iter().flatten() {
        config.volumes.get_or_insert_default().entry(path).or_insert_with(|| value.clone());
    }
    for (key, value) in &of.labels {
        config.labels.get_or_insert_default().entry(key.clone()).or_insert_with(|| value.clone());
    }
    config.stop_signal = config.stop_signal.take().or_else(|| of.stop_signal.clone());
    config.healthcheck = config.healthcheck.take().or_else(|| of.healthcheck.clone());
}
