//! The process of an exec: the container's own, with what was asked for in its place.

use super::{Error, Record, environment, spec, user::User};
use crate::kernel::Machine;
use crate::runtime::guard::capability;
use crate::wire::ExecConfig;
use oci_spec::runtime::{Process, User as SpecUser};

/// Builds the process. Limits, no-new-privileges and the rest stay the container's; `--privileged`
/// adds every capability, and leaves the seccomp profile as it is, as with Docker.
///
/// # Errors
/// A user an unprivileged engine cannot map; a working directory that is relative.
pub fn process(
    mut process: Process,
    record: &Record,
    exec: &ExecConfig,
    user: &User,
    machine: &Machine,
) -> Result<Process, Error> {
    let (config, host) = (&record.config, &record.host_config);
    if machine.unprivileged() {
        spec::check_single_id(user, host)?;
    }
    let cwd = [&exec.working_dir, &config.working_dir].into_iter().find(|path| !path.is_empty());
    let cwd = cwd.map_or("/", String::as_str);
    if !cwd.starts_with('/') {
        return Err(Error::Invalid(format!("Cwd must be an absolute path: {cwd:?}")));
    }
    let mut who = SpecUser::default();
    let groups = if machine.unprivileged() { Vec::new() } else { user.groups.clone() };
    who.set_uid(user.uid).set_gid(user.gid).set_additional_gids(Some(groups).filter(|gids| !gids.is_empty()));
    let env: Vec<String> = config.env.iter().chain(&exec.env).cloned().collect();
    let capabilities = match exec.privileged {
        true => capability::effective(&[], &[], true).map_err(|error| Error::Invalid(error.to_string()))?,
        false => spec::capabilities(host)?,
    };
    process
        .set_terminal(exec.tty.then_some(true))
        .set_console_size(exec.console_size.filter(|_| exec.tty).and_then(spec::window))
        .set_user(who)
        .set_args(Some(exec.cmd.clone()))
        .set_env(Some(environment::of_process(&env, &config.hostname, exec.tty, &user.home)))
        .set_cwd(cwd.into())
        .set_capabilities(Some(capability::process_sets(&capabilities, user.uid)));
    Ok(process)
}
