//! From a container's record to an OCI runtime Spec: a pure function, and the whole of what the
//! engine tells the runtime about a container.

use super::{Error, Record, environment, limits, mounts, user::User};
use crate::kernel::Machine;
use crate::runtime::guard::{abi, capability, custom, paths, profile};
use crate::runtime::{INIT_ANNOTATION, OVERLAY_ANNOTATION};
use crate::wire::HostConfig;
use oci_spec::runtime::{
    BoxBuilder, Capabilities, Linux, LinuxIdMapping, LinuxIdMappingBuilder, LinuxNamespace,
    LinuxNamespaceType, LinuxSeccomp, Mount, Process, Root, Spec, User as SpecUser,
};

/// Version of the runtime specification written.
const OCI_VERSION: &str = "1.2.0";

/// What `--init` is called inside, as with Docker.
const INIT_NAME: &str = "/sbin/docker-init";

/// Everything the Spec follows from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The container.
    pub record: &'a Record,
    /// Its user, looked up in its own files.
    pub user: &'a User,
    /// This machine.
    pub machine: &'a Machine,
    /// Directory of `hostname`, `hosts` and `resolv.conf`.
    pub bundle: &'a str,
}

/// Builds the Spec.
///
/// # Errors
/// What was asked for cannot be: an unknown capability, a user an unprivileged engine cannot map.
pub fn build(inputs: Inputs) -> Result<Spec, Error> {
    let Inputs { record, user, machine, .. } = inputs;
    let host = &record.host_config;
    if machine.unprivileged() {
        check_single_id(user, host)?;
    }
    let capabilities = capabilities(host)?;
    let mut spec = Spec::default();
    spec.set_version(OCI_VERSION.into())
        .set_root(Some(root(record)))
        .set_hostname((host.uts_mode != "host").then(|| record.config.hostname.clone()))
        .set_domainname(Some(record.config.domainname.clone()).filter(|name| !name.is_empty()))
        .set_mounts(Some(all_mounts(inputs)?))
        .set_process(Some(process(inputs, &capabilities)?))
        .set_linux(Some(linux(record, machine, &capabilities)?));
    let annotations = host.annotations.clone().unwrap_or_default().into_iter();
    let durability = durability(record, machine);
    let overlay =
        record.snapshot.overlay.clone().map(|options| (OVERLAY_ANNOTATION.to_owned(), options + durability));
    let init = (host.init == Some(true) && host.pid_mode != "host")
        .then(|| (INIT_ANNOTATION.to_owned(), INIT_NAME.to_owned()));
    spec.set_annotations(Some(annotations.chain(overlay).chain(init).collect()));
    Ok(spec)
}

/// A container removed when it ends needs no overlay that syncs the whole file system below it when
/// it is unmounted: `volatile`, since Linux 5.10. Any other one keeps its files over a power loss.
fn durability(record: &Record, machine: &Machine) -> &'static str {
    let volatile = record.host_config.auto_remove && machine.kernel_version() >= (5, 10);
    if volatile { ",volatile" } else { "" }
}

/// Refuses users and groups that have no place in a single-id map. Groups the image gives its
/// root by itself are left out, as setgroups(2) is not to be had; groups asked for are not.
pub(super) fn check_single_id(user: &User, host: &HostConfig) -> Result<(), Error> {
    let asked = host.group_add.iter().flatten().next().and(user.groups.iter().find(|group| **group != 0));
    let wanted = [("user", Some(&user.uid)), ("group", Some(&user.gid)), ("group", asked)];
    let unmapped = wanted.into_iter().find_map(|(kind, id)| Some((kind, *id.filter(|id| **id != 0)?)));
    unmapped.map_or(Ok(()), |(kind, id)| Err(Error::Unmapped { kind, id }))
}

/// Checks `--security-opt` and capabilities before anything is made.
///
/// # Errors
/// The first that is unknown.
pub fn check_security(host: &HostConfig) -> Result<(), Error> {
    let capabilities = capabilities(host)?;
    seccomp(host, &capabilities, (6, 0)).map(drop)
}

fn root(record: &Record) -> Root {
    let mut root = Root::default();
    root.set_path(record.snapshot.rootfs.clone().into())
        .set_readonly(Some(record.host_config.readonly_rootfs));
    root
}

pub(super) fn capabilities(host: &HostConfig) -> Result<Capabilities, Error> {
    let list = |names: &Option<Vec<String>>| names.clone().unwrap_or_default();
    capability::effective(&list(&host.cap_add), &list(&host.cap_drop), host.privileged)
        .map_err(|error| Error::Invalid(error.to_string()))
}

fn process(inputs: Inputs, capabilities: &Capabilities) -> Result<Process, Error> {
    let Inputs { record, user, machine, .. } = inputs;
    let config = &record.config;
    let cwd = if config.working_dir.is_empty() { "/" } else { &config.working_dir };
    let mut who = SpecUser::default();
    // A single-id map holds no second group: setgroups(2) is switched off there.
    let groups = if machine.unprivileged() { Vec::new() } else { user.groups.clone() };
    who.set_uid(user.uid).set_gid(user.gid).set_additional_gids(Some(groups).filter(|gids| !gids.is_empty()));
    let rlimits = limits::rlimits(&record.host_config.ulimits)?;
    let mut process = Process::default();
    process
        .set_terminal(config.tty.then_some(true))
        .set_console_size(config.tty.then(|| window(record.host_config.console_size)).flatten())
        .set_user(who)
        .set_args(Some(record.argv.clone()))
        .set_env(Some(environment::of_process(&config.env, &config.hostname, config.tty, &user.home)))
        .set_cwd(cwd.into())
        .set_capabilities(Some(capability::process_sets(capabilities, user.uid)))
        .set_rlimits(Some(rlimits).filter(|limits| !limits.is_empty()))
        .set_no_new_privileges(Some(no_new_privileges(&record.host_config)))
        .set_apparmor_profile(None)
        .set_selinux_label(None)
        .set_oom_score_adj(i32::try_from(record.host_config.oom_score_adj).ok());
    Ok(process)
}

/// `[height, width]`, where the client said it.
pub fn window([height, width]: [u32; 2]) -> Option<oci_spec::runtime::Box> {
    let size = BoxBuilder::default().height(height).width(width).build().ok();
    size.filter(|_| height > 0 && width > 0)
}

fn linux(record: &Record, machine: &Machine, capabilities: &Capabilities) -> Result<Linux, Error> {
    let host = &record.host_config;
    let list = |given: &Option<Vec<String>>, default: &[&str]| match given {
        Some(paths) => paths.clone(),
        None if host.privileged => Vec::new(),
        None => default.iter().map(ToString::to_string).collect(),
    };
    let mapped = |outside| machine.unprivileged().then(|| single(outside)).transpose();
    let mut linux = Linux::default();
    linux
        .set_namespaces(Some(namespaces(host, machine, &record.network.sandbox)))
        .set_uid_mappings(mapped(machine.uid)?)
        .set_gid_mappings(mapped(machine.gid)?)
        .set_cgroups_path(Some(format!("/learn/{}", record.id).into()))
        .set_resources(Some(limits::resources(host)))
        .set_devices(Some(Vec::new()))
        .set_seccomp(seccomp(host, capabilities, machine.kernel_version())?)
        .set_masked_paths(Some(list(&host.masked_paths, &paths::MASKED)))
        .set_readonly_paths(Some(list(&host.readonly_paths, &paths::READ_ONLY)))
        .set_rootfs_propagation(Some("rprivate".into()))
        .set_sysctl(host.sysctls.clone().map(|sysctls| sysctls.into_iter().collect()));
    Ok(linux)
}

/// One id, this process's own, seen as 0 inside: all that user_namespaces(7) allows without
/// privilege.
fn single(outside: u32) -> Result<Vec<LinuxIdMapping>, Error> {
    let mapping = LinuxIdMappingBuilder::default().host_id(outside).container_id(0_u32).size(1_u32).build();
    mapping.map(|mapping| vec![mapping]).map_err(|error| Error::Invalid(error.to_string()))
}

/// A network namespace that is there already is joined; else each kind is new.
fn namespaces(host: &HostConfig, machine: &Machine, sandbox: &str) -> Vec<LinuxNamespace> {
    use LinuxNamespaceType::{Cgroup, Ipc, Mount, Network, Pid, User, Uts};
    let unified = machine.cgroups.mode() == "v2";
    let private_cgroup = match host.cgroupns_mode.as_str() {
        "host" => false,
        "private" => true,
        _ => unified && !host.privileged,
    };
    let wanted = [
        (User, machine.unprivileged()),
        (Mount, true),
        (Pid, host.pid_mode != "host"),
        (Network, host.network_mode != "host"),
        (Uts, host.uts_mode != "host"),
        (Ipc, host.ipc_mode != "host"),
        (Cgroup, private_cgroup),
    ];
    let namespace = |(kind, _): (LinuxNamespaceType, bool)| {
        let mut namespace = LinuxNamespace::default();
        let joined = kind == Network && !sandbox.is_empty();
        namespace.set_typ(kind).set_path(joined.then(|| sandbox.into()));
        namespace
    };
    wanted.into_iter().filter(|(_, new)| *new).map(namespace).collect()
}

fn all_mounts(inputs: Inputs) -> Result<Vec<Mount>, Error> {
    let Inputs { record, machine, bundle, .. } = inputs;
    let host = &record.host_config;
    let shm_size = u64::try_from(host.shm_size).ok().filter(|size| *size > 0).unwrap_or(paths::SHM_SIZE);
    let mut all = paths::mounts(shm_size, host.privileged);
    if host.ipc_mode == "none" {
        all.retain(|mount| mount.destination().as_os_str() != "/dev/shm");
    }
    if machine.unprivileged() {
        all.iter_mut().for_each(|mount| adapt_to_single_id(mount, host.network_mode == "host"));
    }
    let planned = mounts::plan(host)?;
    let files = &record.network.files;
    let files = if files.is_empty() { bundle } else { files };
    for name in ["resolv.conf", "hostname", "hosts"] {
        let target = format!("/etc/{name}");
        if !planned.iter().any(|mount| mount.target == target) {
            all.push(bind(&format!("{files}/{name}"), &target, &["rbind", "rprivate"]));
        }
    }
    // What the user mounts over one of the defaults takes its place.
    all.retain(|mount| !planned.iter().any(|own| mount.destination().as_os_str() == own.target.as_str()));
    all.extend(planned.iter().map(mounts::Planned::to_spec));
    Ok(all)
}

/// Group 5 (`tty`) has no place in a single-id map, and sysfs can only be mounted by the owner of
/// the network namespace it shows.
fn adapt_to_single_id(mount: &mut Mount, host_network: bool) {
    if let Some(options) = mount.options_mut() {
        options.retain(|option| option != "gid=5");
    }
    if host_network && mount.typ().as_deref() == Some("sysfs") {
        *mount = bind("/sys", "/sys", &["rbind", "nosuid", "noexec", "nodev", "ro"]);
    }
}

fn bind(source: &str, target: &str, options: &[&str]) -> Mount {
    let mut mount = Mount::default();
    mount
        .set_destination(target.into())
        .set_typ(Some("bind".into()))
        .set_source(Some(source.into()))
        .set_options(Some(options.iter().map(ToString::to_string).collect()));
    mount
}

/// `key=value`, or the older `key:value`.
fn security_options(host: &HostConfig) -> impl Iterator<Item = (&str, &str)> {
    host.security_opt.iter().flatten().map(|option| match option.split_once(['=', ':']) {
        Some((key, value)) => (key, value),
        None => (option.as_str(), ""),
    })
}

fn no_new_privileges(host: &HostConfig) -> bool {
    security_options(host).any(|(key, value)| key == "no-new-privileges" && value != "false")
}

fn seccomp(
    host: &HostConfig,
    capabilities: &Capabilities,
    kernel: (u32, u32),
) -> Result<Option<LinuxSeccomp>, Error> {
    let mut chosen = "";
    for (key, value) in security_options(host) {
        match (key, value) {
            ("seccomp", value) => chosen = value,
            ("no-new-privileges", "" | "true" | "false") | ("label", "disable") => {}
            ("apparmor", "unconfined" | "") => {}
            ("apparmor" | "label", _) => {
                return Err(Error::Unsupported(format!("--security-opt {key}={value}")));
            }
            _ => return Err(Error::Invalid(format!("invalid --security-opt 2: {key:?}"))),
        }
    }
    match chosen {
        "unconfined" => Ok(None),
        "" | "builtin" if host.privileged => Ok(None),
        "" | "builtin" => Ok(Some(profile::default_profile(capabilities, kernel))),
        // Docker's client sends the file's content.
        json => {
            let machine = abi::Machine::native();
            custom::parse("profile", json, custom::Subject { capabilities, kernel, machine })
                .map_err(|error| Error::Invalid(error.to_string()))
        }
    }
}

#[cfg(test)]
mod tests;
