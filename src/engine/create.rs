//! `docker create`: a record, a name, an empty writable layer.

use super::{Container, Engine, Error};
use crate::container::config::{argv, check, merge};
use crate::container::{Record, Snapshot, State, defaults, limits, mounts, name, networking};
use crate::image::{Image, snapshot};
use crate::kernel::TracedHost;
use crate::op::{FsOp, Op};
use crate::trace::{Note, Scope, facts};
use crate::wire::{CreateRequest, CreateResponse};
use std::io;

/// Names tried before giving up on made-up ones.
const NAME_ATTEMPTS: u32 = 9;

impl Engine {
    /// Makes a container. Its files are there when the record is, and the record last.
    ///
    /// # Errors
    /// What was asked for cannot be; no such image; the name is taken; the disk refuses. Nothing is
    /// left then.
    pub async fn create(
        &self,
        door: &TracedHost,
        given_name: Option<&str>,
        request: CreateRequest,
    ) -> Result<CreateResponse, Error> {
        let given_name = given_name.filter(|given| !given.is_empty()).map(name::check).transpose()?;
        check(&request, self.processors())?;
        limits::check_delegated(&request.host_config, &self.machine)?;
        networking::check_privilege(&request, &self.machine)?;
        self.check_bind_sources(door, &request)?;
        let image = self.look_up(door, &request.config.image).await?;
        let id = hex::encode(self.source.random());
        let name = self.reserve_name(given_name.as_deref(), &id)?;
        let made = door
            .within(Scope::ContainerCreate, name.clone(), |door| {
                let name = name.clone();
                async move {
                    let given = given_name.is_some();
                    door.note(Note::NameChosen, facts([("name", &name), ("given", &given)]));
                    self.assemble(&door, id, name, &image, request).await
                }
            })
            .await;
        // Also when the learner said stop at the gate, before any of the work began.
        if made.is_err() {
            self.containers.release(&name);
        }
        made
    }

    async fn assemble(
        &self,
        door: &TracedHost,
        id: String,
        name: String,
        image: &Image,
        request: CreateRequest,
    ) -> Result<CreateResponse, Error> {
        let from_request = request.config.cmd.is_some() || request.config.entrypoint.is_some();
        let CreateRequest { config, mut host_config, networking_config } = request;
        let mut config = merge(config, &self.config_of(image));
        let argv = argv(&config)?;
        let source = if from_request { "request" } else { "image" };
        door.note(Note::CommandChosen, facts([("cmd", &shell_words::join(&argv)), ("source", &source)]));
        if config.hostname.is_empty() {
            config.hostname = id[..12].to_owned();
        }
        host_config.runtime = "learn".into();
        defaults::complete(&mut config, &mut host_config, &self.machine);
        let warnings = limits::adapt(&mut host_config, &self.machine);
        let mut record = Record {
            name,
            created: self.stamp(),
            image_id: image.id.clone(),
            argv,
            config,
            host_config,
            networking: networking_config,
            network: Default::default(),
            snapshot: Snapshot::default(),
            state: State::default(),
            id,
        };
        let mut make = vec![FsOp::CreateDirectory { path: self.places.container(&record.id), mode: 0o710 }];
        if record.host_config.auto_remove {
            make.push(self.make_bundle(&record.id));
        }
        let done: Vec<Op> = make.iter().cloned().map(Op::from).collect();
        let result = async {
            for directory in make {
                door.perform(directory).await?;
            }
            record.snapshot = self.prepare_snapshot(door, &record, image).await?;
            self.persist(door, &record).await
        };
        if let Err(error) = result.await {
            // What cannot be undone is in the trace; why it began is what the client hears.
            let _ = door.roll_back(done, record.short_id()).await;
            return Err(error);
        }
        self.events.container(&record, "create", &[]);
        let id = record.id.clone();
        self.containers.insert(Container::new(record));
        Ok(CreateResponse { id, warnings })
    }

    /// A made-up name that is taken is made up again; a given one is refused.
    fn reserve_name(&self, given: Option<&str>, id: &str) -> Result<String, Error> {
        if let Some(given) = given {
            self.containers.reserve(given, id)?;
            return Ok(given.to_owned());
        }
        let mut attempt = 0;
        loop {
            let name = name::generate(&self.source.random(), attempt);
            match self.containers.reserve(&name, id) {
                Ok(()) => return Ok(name),
                Err(error) if attempt == NAME_ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    /// `--mount` wants its source to be there; `--volume` has it made at the start.
    fn check_bind_sources(&self, door: &TracedHost, request: &CreateRequest) -> Result<(), Error> {
        for mount in mounts::plan(&request.host_config)? {
            let wanted = mount.kind == "bind" && !mount.create_source;
            if wanted && is_missing(door, &mount.source) {
                return Err(mount.source_missing().into());
            }
        }
        Ok(())
    }

    /// Processors a container can have.
    pub(super) fn processors(&self) -> u32 {
        std::thread::available_parallelism().ok().and_then(|n| u32::try_from(n.get()).ok()).unwrap_or(1)
    }

    async fn prepare_snapshot(
        &self,
        door: &TracedHost,
        record: &Record,
        image: &Image,
    ) -> Result<Snapshot, Error> {
        let directory = self.places.container(&record.id);
        let about = record.short_id();
        let mount_point = self.places.mount_point(&record.id);
        let places = snapshot::Places { container: &directory, mount_point: &mount_point };
        let made = snapshot::prepare(door, &self.images, &self.machine, &image.layers, places, about).await?;
        Ok(self.snapshot_of(image, made, &directory))
    }
}

/// Whether nothing is there: a path that is no directory, or that may not be read, is there.
pub(super) fn is_missing(door: &TracedHost, path: &str) -> bool {
    door.host().list(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}
