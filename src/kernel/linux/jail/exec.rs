//! Finding the program and becoming it: execve(2), seccomp(2).

use super::super::sys;
use super::errno;
use crate::error::{Hint, Kind};
use crate::kernel::{Fault, Outcome, Payload, Value};
use crate::trace::facts;
use nix::errno::Errno;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{AccessFlags, access};
use std::convert::Infallible;
use std::ffi::CString;
use std::fs;

/// Finds `name` as execvp(3) would: as it is when it holds a slash, else in each directory of
/// `path`. Every place tried is a fact, because that is what a learner asks after a 127.
pub(super) fn lookup(name: &str, path: &str) -> Result<Outcome, Fault> {
    let candidates: Vec<String> = if name.contains('/') {
        vec![name.to_owned()]
    } else {
        path.split(':').map(|directory| join(directory, name)).collect()
    };
    let mut tried = Vec::new();
    let mut denied = false;
    for candidate in candidates {
        match executable(&candidate) {
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

fn join(directory: &str, name: &str) -> String {
    let directory = if directory.is_empty() { "." } else { directory };
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// A directory is "permission denied", as runc says it.
fn executable(path: &str) -> Result<(), Errno> {
    let metadata =
        fs::metadata(path).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::ENOENT)))?;
    if metadata.is_dir() {
        return Err(Errno::EACCES);
    }
    access(path, AccessFlags::X_OK)
}

fn not_found(name: &str, denied: bool, tried: &[String]) -> Fault {
    let (errno, kind, hint) = if denied {
        (libc::EACCES, Kind::Denied, Hint::CheckExecutableBit)
    } else {
        (libc::ENOENT, Kind::NotFound, Hint::ListImageFiles)
    };
    let message = match (denied, name.contains('/')) {
        (true, _) => format!("exec: {name:?}: permission denied"),
        (false, true) => format!("exec: {name:?}: stat {name}: no such file or directory"),
        (false, false) => format!("exec: {name:?}: executable file not found in $PATH"),
    };
    let facts = facts([("tried", &tried.join("; "))]);
    Fault { errno: Some(errno), message, kind, hint: Some(hint), facts }
}

/// Loads the filter and becomes the program. Returns only on failure.
pub(super) fn exec(program: &str, argv: &[String], payload: Payload) -> Result<Outcome, Fault> {
    let Payload::Exec { env, filter } = payload else {
        return Err(Fault::new(Kind::Internal, "process.exec needs its environment"));
    };
    let path = c_string(program)?;
    let argv = argv.iter().map(|word| c_string(word)).collect::<Result<Vec<_>, _>>()?;
    let env = env.iter().map(|entry| c_string(entry)).collect::<Result<Vec<_>, _>>()?;
    umask(Mode::from_bits_truncate(0o022));
    sys::cloexec_from(3)?;
    sys::default_signals();
    if !filter.is_empty() {
        sys::load_seccomp(&filter)?;
    }
    let result: Result<Infallible, Errno> = nix::unistd::execve(&path, &argv, &env);
    let Err(error) = result;
    let mut fault = errno(error);
    fault.message = format!("exec {program}: {}", fault.message);
    if error == Errno::ENOEXEC {
        fault.message = format!("exec {program}: exec format error");
        fault.kind = Kind::Denied;
    }
    Err(fault)
}

fn c_string(text: &str) -> Result<CString, Fault> {
    CString::new(text).map_err(|_| Fault::new(Kind::Invalid, format!("{text:?} holds a NUL byte")))
}
