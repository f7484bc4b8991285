//! `docker top`: the rows of the host's own ps(1) that are a container's processes.

use super::{Container, Engine, Error};
use crate::container::Status;
use crate::kernel::TracedHost;
use crate::trace::Scope;
use crate::wire::Top;
use std::collections::BTreeSet;

/// What Docker asks ps for when nobody says.
const ARGUMENTS: &str = "-ef";

impl Engine {
    /// Lists a container's processes; `arguments` are ps's own.
    ///
    /// # Errors
    /// No such container; it does not run; ps refuses, or shows no PID.
    pub async fn top(&self, door: &TracedHost, wanted: &str, arguments: &str) -> Result<Top, Error> {
        let container = self.containers.find(wanted)?;
        let status = container.record().state.status;
        match status {
            Status::Running | Status::Paused => {}
            Status::Restarting => return Err(Error::ExecRestarting(container.id.clone())),
            _ => return Err(Error::NotRunning(container.id.clone())),
        }
        let arguments = if arguments.trim().is_empty() { ARGUMENTS } else { arguments };
        check(arguments)?;
        door.within(Scope::ContainerTop, container.short_id(), |_| async move {
            let words: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
            let listed = self.host.processes(&words).await;
            let listed = listed.map_err(|error| Error::Invalid(format!("error running ps: {error}")))?;
            let top = choose(&listed, &self.processes_of(&container))?;
            self.events.container(&container.snapshot(), "top", &[]);
            Ok(top)
        })
        .await
    }

    /// The members of its groups; where there are none, its first process and what descends from
    /// it and from the programs that joined.
    fn processes_of(&self, container: &Container) -> BTreeSet<u32> {
        let cgroups = &self.machine.cgroups;
        let mounts = cgroups.v1.values().chain(cgroups.v2.iter().map(|v2| &v2.mount));
        let members: BTreeSet<u32> = mounts
            .filter_map(|mount| self.host.read(&format!("{mount}/learn/{}/cgroup.procs", container.id)).ok())
            .flat_map(|bytes| numbers(&bytes))
            .collect();
        if !members.is_empty() {
            return members;
        }
        let joined = self.execs.running_in(&container.id);
        let mut left: Vec<u32> = joined.iter().map(|exec| exec.state().pid).collect();
        left.push(container.record().state.pid);
        let mut all = BTreeSet::new();
        while let Some(pid) = left.pop() {
            if pid != 0 && all.insert(pid) {
                let children = self.host.read(&format!("/proc/{pid}/task/{pid}/children"));
                left.extend(numbers(&children.unwrap_or_default()));
            }
        }
        all
    }
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    String::from_utf8_lossy(bytes).split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// A column that only pretends to be the PID would show other processes' rows.
fn check(arguments: &str) -> Result<(), Error> {
    let pretends = arguments.split(char::is_whitespace).find_map(|word| {
        let (name, title) = word.split_once('=')?;
        title.starts_with("PID").then(|| format!("specifying \"{name}={title}\" is not allowed"))
    });
    pretends.map_or(Ok(()), |message| Err(Error::Invalid(message)))
}

/// The titles and the container's rows; what is beyond the last title belongs to its column.
fn choose(listed: &str, pids: &BTreeSet<u32>) -> Result<Top, Error> {
    let mut lines = listed.lines();
    let titles: Vec<String> =
        lines.next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let place = titles.iter().position(|title| title == "PID");
    let place = place.ok_or_else(|| Error::Invalid("Couldn't find PID field in ps output".into()))?;
    let mut processes = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let pid = fields.get(place).and_then(|pid| pid.parse().ok());
        if pid.is_none_or(|pid| !pids.contains(&pid)) {
            continue;
        }
        let (single, last) = fields.split_at((titles.len() - 1).min(fields.len()));
        let mut row: Vec<String> = single.iter().map(ToString::to_string).collect();
        row.push(last.join(" "));
        processes.push(row);
    }
    Ok(Top { processes, titles })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_container_are_kept_with_their_whole_command() {
        let listed = "UID PID CMD\nroot 1 init\nroot 7 sleep 1000\n";
        let top = choose(listed, &BTreeSet::from([7])).unwrap();
        assert_eq!(top.titles, ["UID", "PID", "CMD"]);
        assert_eq!(top.processes, [["root", "7", "sleep 1000"]]);
    }

    #[test]
    fn a_list_without_the_pid_or_with_a_false_one_is_refused() {
        assert!(choose("COMMAND\nsleep\n", &BTreeSet::new()).is_err());
        let refused = check("-o comm=PID").unwrap_err().to_string();
        assert_eq!(refused, "specifying \"comm=PID\" is not allowed");
        assert!(check("-o pid,comm").is_ok());
    }
}
