//! Paths as Docker's client handles them, which is as Go's `path/filepath` does: a slash or a dot
//! at the end means something.

/// Go's `filepath.Clean`.
pub fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(last) if *last != ".." => drop(parts.pop()),
                _ if absolute => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    match (absolute, parts.join("/")) {
        (true, rest) => format!("/{rest}"),
        (false, rest) if rest.is_empty() => ".".to_owned(),
        (false, rest) => rest,
    }
}

/// Go's `filepath.Base`.
pub fn base(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    match path.trim_end_matches('/').rsplit('/').next() {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => "/".to_owned(),
    }
}

/// Go's `filepath.Dir`.
pub fn dir(path: &str) -> String {
    clean(path.rfind('/').map_or("", |slash| &path[..=slash]))
}

/// Go's `filepath.Join`.
pub fn join(above: &str, below: &str) -> String {
    clean(&format!("{above}/{below}"))
}

/// `x/`.
pub fn has_slash(path: &str) -> bool {
    path.ends_with('/')
}

/// `x/.`, or `.`.
pub fn is_current(path: &str) -> bool {
    base(path) == "."
}

/// Whether only a directory can be meant.
pub fn asserts_directory(path: &str) -> bool {
    has_slash(path) || is_current(path)
}

/// A cleaned path with the slash or the dot its original had at the end.
pub fn keep_end(cleaned: &str, original: &str) -> String {
    let mut kept = cleaned.to_owned();
    if !is_current(cleaned) && is_current(original) {
        if !has_slash(&kept) {
            kept.push('/');
        }
        kept.push('.');
    }
    if !has_slash(&kept) && has_slash(original) {
        kept.push('/');
    }
    kept
}

/// Directory and last name; the last name of `x/.` is the dot.
pub fn split(path: &str) -> (String, String) {
    let mut cleaned = clean(path);
    if is_current(path) {
        cleaned.push_str("/.");
    }
    (dir(&cleaned), base(&cleaned))
}

/// What a link that was followed is to be called: its own name, where what it led to has another.
pub fn rebase_name(path: &str, resolved: &str) -> (String, Option<String>) {
    let mut resolved = resolved.to_owned();
    if is_current(path) && !is_current(&resolved) {
        resolved.push_str("/.");
    }
    if has_slash(path) && !has_slash(&resolved) {
        resolved.push('/');
    }
    let own = base(path);
    let renamed = (own != base(&resolved)).then_some(own);
    (resolved, renamed)
}

/// `CONTAINER:PATH`, or a path of one's own.
pub fn split_argument(argument: &str) -> (Option<&str>, &str) {
    if argument.starts_with('/') {
        return (None, argument);
    }
    match argument.split_once(':') {
        Some((container, path)) if !container.starts_with('.') => (Some(container), path),
        _ => (None, argument),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_gos() {
        for (path, cleaned, last, above) in [
            ("/a/b", "/a/b", "b", "/a"),
            ("/a/b/", "/a/b", "b", "/a/b"),
            ("a//../b/.", "b", ".", "b"),
            ("", ".", ".", "."),
            ("/", "/", "/", "/"),
            ("../x", "../x", "x", ".."),
        ] {
            assert_eq!(
                (clean(path), base(path), dir(path)),
                (cleaned.into(), last.into(), above.into()),
                "{path}"
            );
        }
        assert_eq!(split("/etc/apk/."), ("/etc/apk".into(), ".".into()));
        assert_eq!(split("/etc/apk/"), ("/etc".into(), "apk".into()));
        assert_eq!(keep_end("/a/b", "b/."), "/a/b/.");
        assert_eq!(keep_end("/a/b", "b/"), "/a/b/");
    }

    #[test]
    fn a_container_is_named_before_the_colon() {
        assert_eq!(split_argument("c1:/etc"), (Some("c1"), "/etc"));
        assert_eq!(split_argument("/a:b"), (None, "/a:b"));
        assert_eq!(split_argument("./a:b"), (None, "./a:b"));
        assert_eq!(split_argument("a"), (None, "a"));
    }

    #[test]
    fn a_followed_link_keeps_its_name() {
        assert_eq!(rebase_name("/a/link", "/b/real"), ("/b/real".into(), Some("link".into())));
        assert_eq!(rebase_name("/a/x/", "/b/x"), ("/b/x/".into(), None));
    }
}
