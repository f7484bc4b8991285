//! Why the kernel refuses a user namespace, by the setting that is in the way:
//! user_namespaces(7), and the switches Debian and Ubuntu added.

use crate::error::{Hint, Kind};
use crate::kernel::Fault;
use crate::wire::UserNamespaceSettings;
use std::fs;

/// Reads the settings; one this kernel does not know is `None`.
pub(super) fn settings() -> UserNamespaceSettings {
    let setting = |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse().ok();
    UserNamespaceSettings {
        max: setting("user/max_user_namespaces"),
        clone: setting("kernel/unprivileged_userns_clone"),
        apparmor: setting("kernel/apparmor_restrict_unprivileged_userns"),
    }
}

/// What clone3(2) means by `errno` when it was asked for a user namespace.
pub(super) fn refused(errno: i32, settings: &UserNamespaceSettings) -> Fault {
    let (message, is_setting) = match (errno, settings) {
        (libc::ENOSPC | libc::EUSERS, UserNamespaceSettings { max: Some(max), .. }) => {
            (format!("no more user namespaces may be made: user.max_user_namespaces = {max}"), true)
        }
        (libc::ENOSPC | libc::EUSERS, _) => ("user namespaces are nested too deeply".to_owned(), true),
        (libc::EPERM, UserNamespaceSettings { clone: Some(0), .. }) => {
            ("users may not make user namespaces: kernel.unprivileged_userns_clone = 0".to_owned(), true)
        }
        (libc::EPERM, _) => {
            ("users may not make user namespaces here: a sandbox around this program forbids it".into(), true)
        }
        _ => (String::new(), false),
    };
    if is_setting { denied(errno, message) } else { Fault::errno(errno) }
}

/// Ubuntu lets users make the namespace and then forbids every privilege in it: the first mount
/// fails. `fault` of that mount, named by its setting.
pub(super) fn powerless(fault: Fault, settings: &UserNamespaceSettings) -> Fault {
    match (fault.errno, settings.apparmor) {
        (Some(errno @ (libc::EACCES | libc::EPERM)), Some(restricts @ 1..)) => denied(
            errno,
            format!(
                "user namespaces are without privileges: kernel.apparmor_restrict_unprivileged_userns = {restricts}"
            ),
        ),
        _ => fault,
    }
}

fn denied(errno: i32, message: String) -> Fault {
    let mut fault = Fault::new(Kind::Denied, message).hint(Hint::RunDoctor);
    fault.errno = Some(errno);
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_setting_and_leads_to_the_doctor() {
        let settings = UserNamespaceSettings { max: Some(0), clone: Some(0), apparmor: Some(1) };
        for (errno, name) in [
            (libc::ENOSPC, "user.max_user_namespaces = 0"),
            (libc::EPERM, "kernel.unprivileged_userns_clone = 0"),
        ] {
            let fault = refused(errno, &settings);
            assert!(fault.message.ends_with(name), "{}", fault.message);
            assert_eq!(
                (fault.errno, fault.kind, fault.hint),
                (Some(errno), Kind::Denied, Some(Hint::RunDoctor))
            );
        }
        let unknown = UserNamespaceSettings::default();
        assert!(refused(libc::EPERM, &unknown).message.contains("sandbox"));
        assert_eq!(refused(libc::ENOMEM, &settings).message, Fault::errno(libc::ENOMEM).message);
    }

    #[test]
    fn a_mount_apparmor_forbids_names_its_setting() {
        let settings = UserNamespaceSettings { apparmor: Some(1), ..UserNamespaceSettings::default() };
        let fault = powerless(Fault::errno(libc::EACCES), &settings);
        assert!(fault.message.ends_with("kernel.apparmor_restrict_unprivileged_userns = 1"));
        let other = powerless(Fault::errno(libc::EINVAL), &settings);
        assert_eq!(other.message, Fault::errno(libc::EINVAL).message);
    }
}
