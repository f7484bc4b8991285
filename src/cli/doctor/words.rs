//! The sentences of `lessons/doctor.yaml`: check → outcome → text.

use crate::text::{self, Lang};
use std::sync::LazyLock;

const SOURCE: &str = include_str!(concat!(env!("OUT_DIR"), "/texts/doctor.json"));

static TEXTS: LazyLock<text::book::Ui> = LazyLock::new(|| text::book::embedded("doctor", SOURCE));

/// The sentence `section.key` with its placeholders filled. A key or fact that is missing prints
/// as itself, never as nothing.
pub fn say(lang: Lang, key: &str, facts: &[(&'static str, String)]) -> String {
    let text = key.split_once('.').and_then(|(section, name)| TEXTS.get(section)?.get(name));
    let Some(text) = text else { return key.to_owned() };
    let value = |name: &str| facts.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    text.fill(lang, |name| value(name).or_else(|| Some(format!("{{{name}}}")))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, Daemon, Status};
    use super::*;
    use crate::text::placeholders;
    use crate::wire::{Examination, Reach, Trial, UserNamespaceSettings};

    fn healthy() -> Examination {
        Examination {
            kernel: "6.8.0-45-generic".into(),
            version: (6, 8),
            uid: 1000,
            user: "minji".into(),
            user_namespace: Trial::Worked,
            settings: UserNamespaceSettings::default(),
            cgroup_mode: "v2".into(),
            controllers: ["cpu", "memory", "pids"].map(String::from).into(),
            cgroup_writable: true,
            overlay: Trial::Worked,
            seccomp: true,
            network_namespace: Trial::Worked,
            veth: Trial::Worked,
            nftables: Trial::Worked,
            subordinate_ids: true,
            registry: Reach::Answered(401),
            disk: "/home".into(),
            disk_free: 10 << 30,
        }
    }

    /// Everything that can be wrong, in two ways where there are two.
    fn ill() -> Vec<(Examination, Daemon)> {
        let worse = Examination {
            version: (4, 19),
            user_namespace: Trial::Refused(libc::EACCES),
            settings: UserNamespaceSettings { apparmor: Some(1), ..Default::default() },
            controllers: Vec::new(),
            overlay: Trial::Refused(libc::ENODEV),
            seccomp: false,
            veth: Trial::Refused(libc::EOPNOTSUPP),
            subordinate_ids: false,
            registry: Reach::Silent("no route to host".into()),
            disk_free: 0,
            ..healthy()
        };
        let bad = Examination { version: (5, 10), disk_free: 100 << 20, ..worse.clone() };
        vec![(worse, Daemon::Denied { group: "learn".into() }), (bad, Daemon::Absent)]
    }

    fn findings(found: &Examination, daemon: &Daemon) -> Vec<check::Finding> {
        check::all(found, "unix:///run/learn/learn.sock", daemon)
    }

    #[test]
    fn a_healthy_machine_is_ok_throughout() {
        let findings = findings(&healthy(), &Daemon::Listening);
        assert!(findings.iter().all(|finding| finding.status == Status::Ok && finding.mend.is_none()));
    }

    #[test]
    fn every_outcome_has_a_sentence_whose_placeholders_are_facts() {
        let mut seen = findings(&healthy(), &Daemon::Listening);
        ill().iter().for_each(|(found, daemon)| seen.extend(findings(found, daemon)));
        for finding in &seen {
            for lang in [Lang::Ko, Lang::En] {
                for key in ["name", finding.status.name()] {
                    let text = TEXTS.get(finding.key).and_then(|check| check.get(key));
                    let text = text.unwrap_or_else(|| panic!("{}.{key} is missing", finding.key));
                    for name in placeholders(text.get(lang)) {
                        let known = finding.facts.iter().any(|(fact, _)| *fact == name);
                        assert!(known, "{}.{key}: {{{name}}}", finding.key);
                    }
                }
            }
        }
        let told = |key: &str, status: &str| {
            seen.iter().any(|finding| finding.key == key && finding.status.name() == status)
        };
        for (section, texts) in
            TEXTS.iter().filter(|(section, _)| !["status", "report"].contains(&&***section))
        {
            for status in texts.keys().filter(|key| *key != "name") {
                assert!(told(section, status), "no finding says {section}.{status}");
            }
        }
    }

    #[test]
    fn the_setting_in_the_way_is_the_one_that_is_mended() {
        let mend = |settings| {
            let found = Examination { user_namespace: Trial::Refused(libc::EPERM), settings, ..healthy() };
            let findings = findings(&found, &Daemon::Listening);
            assert!(!check::can_run(&findings));
            findings.into_iter().find(|finding| finding.key == "privilege").and_then(|finding| finding.mend)
        };
        let none = UserNamespaceSettings::default;
        for (settings, command) in [
            (
                UserNamespaceSettings { apparmor: Some(1), max: Some(9), ..none() },
                "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
            ),
            (
                UserNamespaceSettings { clone: Some(0), ..none() },
                "sudo sysctl -w kernel.unprivileged_userns_clone=1",
            ),
            (
                UserNamespaceSettings { max: Some(0), apparmor: Some(1), ..none() },
                "sudo sysctl -w user.max_user_namespaces=15000",
            ),
        ] {
            assert_eq!(mend(settings).as_deref(), Some(command));
        }
    }

    #[test]
    fn only_what_keeps_containers_from_running_fails() {
        let (worse, denied) = &ill()[0];
        let failing: Vec<&str> = findings(worse, denied)
            .iter()
            .filter(|finding| finding.status == Status::Fail)
            .map(|finding| finding.key)
            .collect();
        assert_eq!(failing, ["kernel", "privilege", "disk", "daemon"]);
        let root = Examination { uid: 0, ..worse.clone() };
        let privilege = &findings(&root, denied)[1];
        assert_eq!(
            (privilege.key, privilege.status),
            ("privilege", Status::Ok),
            "root needs no user namespace"
        );
    }
}
