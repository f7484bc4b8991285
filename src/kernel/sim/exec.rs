//! Finding a program and becoming it: execve(2), execvp(3).

use super::processes::{Capabilities, Pid};
use super::tree::Content;
use super::walk::{Last, Want};
use super::world::World;
use crate::error::{Hint, Kind};
use crate::kernel::{Fault, Outcome, Value};
use crate::trace::facts;
use nix::errno::Errno;

/// Most interpreters a script may name in turn.
const MOST_INTERPRETERS: usize = 4;

impl World {
    /// Finds `name` as execvp(3) would: as it is when it holds a slash, else along `path`.
    pub(super) fn lookup_program(&self, who: Pid, name: &str, path: &str) -> Result<Outcome, Fault> {
        let candidates: Vec<String> = match name.contains('/') {
            true => vec![name.to_owned()],
            false => path.split(':').map(|directory| beside(directory, name)).collect(),
        };
        let mut tried = Vec::new();
        let mut denied = false;
        for candidate in candidates {
            match self.is_executable(who, &candidate) {
                Ok(()) => {
                    let mut facts = facts([("program", &candidate)]);
                    if !tried.is_empty() {
                        facts.insert("tried".into(), tried.join("; "));
                    }
                    return Ok(Outcome { facts, value: Value::Program(candidate) });
                }
                Err(errno) => {
                    denied |= errno == Errno::EACCES;
                    tried.push(format!("{candidate}: {errno:?}"));
                }
            }
        }
        Err(not_found(name, denied, &tried))
    }

    fn is_executable(&self, who: Pid, path: &str) -> Result<(), Errno> {
        let at = self.resolve(who, path, Last::Follow)?;
        if self.node(at)?.is_directory() {
            return Err(Errno::EACCES);
        }
        self.permit(self.processes.get(who)?, at, Want::Execute)
    }

    /// What execve(2) checks and does to the process; returns the file the code comes from, which
    /// is the interpreter's when the program is a script.
    pub(super) fn exec(
        &mut self,
        who: Pid,
        program: &str,
        argv: &[String],
        seccomp: usize,
    ) -> Result<String, Errno> {
        let code = self.code_of(who, program, MOST_INTERPRETERS)?;
        let absolute = self.absolute(who, &code)?;
        let process = self.processes.get_mut(who)?;
        let root_inside = {
            let users = self.namespaces.users(process.user_namespace());
            super::namespaces::inside(&users.uids, process.uid) == Some(0)
        };
        // capabilities(7), "Transformation of capabilities during execve()".
        process.effective = match root_inside {
            true => process.bounding.union(&process.inheritable).cloned().collect::<Capabilities>(),
            false => process.ambient.clone(),
        };
        let name = program.rsplit('/').next().unwrap_or(program);
        process.name = name.chars().take(15).collect();
        process.argv = argv.to_vec();
        process.program = absolute.clone();
        process.seccomp = seccomp;
        Ok(absolute)
    }

    fn code_of(&self, who: Pid, program: &str, left: usize) -> Result<String, Errno> {
        let at = self.resolve(who, program, Last::Follow)?;
        let node = self.node(at)?;
        let Content::File(bytes) = &node.content else { return Err(Errno::EACCES) };
        if self.mount_at(at)?.has("noexec") {
            return Err(Errno::EACCES);
        }
        self.permit(self.processes.get(who)?, at, Want::Execute)?;
        if bytes.starts_with(b"\x7fELF") {
            return Ok(program.to_owned());
        }
        let script = bytes.strip_prefix(b"#!").ok_or(Errno::ENOEXEC)?;
        if left == 0 {
            return Err(Errno::ELOOP);
        }
        let line = String::from_utf8_lossy(script.split(|byte| *byte == b'\n').next().unwrap_or_default());
        let interpreter = line.split_whitespace().next().ok_or(Errno::ENOEXEC)?;
        self.code_of(who, interpreter, left - 1)
    }

    /// The path of a file as its own process would name it, links at the end resolved.
    fn absolute(&self, who: Pid, path: &str) -> Result<String, Errno> {
        let at = self.resolve(who, path, Last::Follow)?;
        let root = self.processes.get(who)?.root;
        Ok(self.path_below(root, at))
    }
}

fn beside(directory: &str, name: &str) -> String {
    let directory = if directory.is_empty() { "." } else { directory };
    format!("{}/{name}", directory.trim_end_matches('/'))
}

fn not_found(name: &str, denied: bool, tried: &[String]) -> Fault {
    let (errno, kind, hint) = match denied {
        true => (Errno::EACCES, Kind::Denied, Hint::CheckExecutableBit),
        false => (Errno::ENOENT, Kind::NotFound, Hint::ListImageFiles),
    };
    let message = match (denied, name.contains('/')) {
        (true, _) => format!("exec: {name:?}: permission denied"),
        (false, true) => format!("exec: {name:?}: stat {name}: no such file or directory"),
        (false, false) => format!("exec: {name:?}: executable file not found in $PATH"),
    };
    let facts = facts([("tried", &tried.join("; "))]);
    Fault { errno: Some(errno as i32), message, kind, hint: Some(hint), facts }
}
