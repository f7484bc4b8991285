//! The program's environment, put together as Docker does.

/// Where programs are looked for when neither image nor request says.
pub const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The environment of the first process: PATH and HOSTNAME, TERM on a terminal, then what was
/// configured (which replaces in place, and removes when it is a bare name), then HOME.
pub fn of_process(configured: &[String], hostname: &str, tty: bool, home: &str) -> Vec<String> {
    let mut env = vec![DEFAULT_PATH.to_owned(), format!("HOSTNAME={hostname}")];
    if tty {
        env.push("TERM=xterm".into());
    }
    for entry in configured {
        replace_or_append(&mut env, entry);
    }
    // runc adds HOME only where the configuration is silent.
    if !env.iter().any(|entry| name(entry) == "HOME") {
        env.push(format!("HOME={home}"));
    }
    env
}

/// What a request's environment becomes over an image's: the request's entries first, then those
/// of the image it does not name.
pub fn merge(request: &[String], image: &[String]) -> Vec<String> {
    let named = |entry: &&String| !request.iter().any(|asked| name(asked) == name(entry));
    request.iter().chain(image.iter().filter(named)).cloned().collect()
}

fn replace_or_append(env: &mut Vec<String>, entry: &str) {
    let place = env.iter().position(|known| name(known) == name(entry));
    match (place, entry.contains('=')) {
        (Some(place), true) => env[place] = entry.to_owned(),
        (Some(place), false) => {
            env.remove(place);
        }
        (None, true) => env.push(entry.to_owned()),
        (None, false) => {}
    }
}

fn name(entry: &str) -> &str {
    entry.split_once('=').map_or(entry, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(entries: &[&str]) -> Vec<String> {
        entries.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_image_fills_what_the_request_leaves_open() {
        let merged = merge(&owned(&["A=1", "C"]), &owned(&["A=0", "B=2", "C=3"]));
        assert_eq!(merged, owned(&["A=1", "C", "B=2"]));
    }

    #[test]
    fn configured_entries_replace_in_place_and_bare_names_remove() {
        let env = of_process(&owned(&["PATH=/bin", "HOSTNAME", "X=1"]), "abc", true, "/root");
        assert_eq!(env, owned(&["PATH=/bin", "TERM=xterm", "X=1", "HOME=/root"]));
    }

    #[test]
    fn home_is_the_users_unless_configured() {
        assert!(of_process(&owned(&["HOME=/x"]), "h", false, "/root").contains(&"HOME=/x".to_owned()));
        assert_eq!(of_process(&[], "h", false, "/"), owned(&[DEFAULT_PATH, "HOSTNAME=h", "HOME=/"]));
    }
}
