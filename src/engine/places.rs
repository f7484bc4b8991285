//! Where the engine keeps what.

/// The state root and the run directory, as absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// `LEARN_ROOT`: images, containers, traces.
    pub root: String,
    /// The socket's directory: what does not outlive a boot.
    pub run: String,
}

impl Places {
    /// All containers.
    pub fn containers(&self) -> String {
        format!("{}/containers", self.root)
    }

    /// One container.
    pub fn container(&self, id: &str) -> String {
        format!("{}/containers/{id}", self.root)
    }

    /// A container's record.
    pub fn record(&self, id: &str) -> String {
        format!("{}/container.json", self.container(id))
    }

    /// The record of a container that goes when its program ends (`--rm`). It need not outlive a
    /// boot, so nothing has to reach a disk.
    pub fn passing_record(&self, id: &str) -> String {
        format!("{}/container.json", self.bundle(id))
    }

    /// What containers need while they run.
    pub fn bundles(&self) -> String {
        format!("{}/containers", self.run)
    }

    /// A container's OCI bundle, made anew at each start.
    pub fn bundle(&self, id: &str) -> String {
        format!("{}/containers/{id}", self.run)
    }

    /// Where init mounts a container's root file system, in its own mount namespace.
    pub fn mount_point(&self, id: &str) -> String {
        format!("{}/rootfs", self.bundle(id))
    }

    /// Where a container's shim leaves how the program ended.
    pub fn exit_file(&self, id: &str) -> String {
        format!("{}/exit.json", self.bundle(id))
    }

    /// A container's further programs.
    pub fn execs(&self, id: &str) -> String {
        format!("{}/exec", self.container(id))
    }

    /// One of them.
    pub fn exec(&self, container: &str, id: &str) -> String {
        format!("{}/{id}", self.execs(container))
    }

    /// Where its shim leaves how it ended.
    pub fn exec_exit_file(&self, container: &str, id: &str) -> String {
        format!("{}/exit.json", self.exec(container, id))
    }

    /// Where a container's shim listens; short, for sun_path holds 108 bytes: unix(7).
    pub fn shim_socket(&self, id: &str) -> String {
        format!("{}/shim/{}.sock", self.run, &id[..id.len().min(12)])
    }

    /// Networks.
    pub fn networks(&self) -> String {
        format!("{}/networks", self.root)
    }

    /// A network's record.
    pub fn network(&self, id: &str) -> String {
        format!("{}/{id}.json", self.networks())
    }

    /// Finished traces.
    pub fn traces(&self) -> String {
        format!("{}/traces", self.root)
    }
}
