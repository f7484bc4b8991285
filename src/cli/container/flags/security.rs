//! `--security-opt`: read here as far as it names files of the client's.

use crate::wire::HostConfig;

/// Writes the options into the request.
///
/// # Errors
/// Docker's words for an option without a value, or a profile that cannot be read.
pub fn fill(given: &[String], host: &mut HostConfig) -> Result<(), String> {
    let mut options = Vec::new();
    for text in given {
        let pair = match text.split_once('=') {
            None if text != "no-new-privileges" => text.split_once(':'),
            pair => pair,
        };
        match pair {
            None | Some((_, "")) if !text.starts_with("no-new-privileges") => {
                return Err(format!("Invalid --security-opt: {text:?}"));
            }
            _ if text == "systempaths=unconfined" => {
                (host.masked_paths, host.readonly_paths) = (Some(Vec::new()), Some(Vec::new()));
            }
            Some(("seccomp", file)) if !matches!(file, "builtin" | "unconfined") => {
                options.push(format!("seccomp={}", profile(file)?));
            }
            _ => options.push(text.clone()),
        }
    }
    host.security_opt = (!options.is_empty()).then_some(options);
    Ok(())
}

/// The daemon cannot see the client's files: a profile travels as text.
fn profile(file: &str) -> Result<serde_json::Value, String> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let reason = super::files::go_error(&error);
        format!("opening seccomp profile ({file}) failed: open {file}: {reason}")
    })?;
    serde_json::from_str(&text)
        .map_err(|error| format!("compacting json for seccomp profile ({file}) failed: {error}"))
}
