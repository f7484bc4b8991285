//! The words of `COPY`, `ADD` and `RUN --mount`.

use super::error::Problem;
use super::flag::Flags;
use super::form::json;
use super::heredoc::{self, Heredoc};
use super::instruction::{Mount, Source, Transfer};
use super::pairs;

/// Options of both, and what each has of its own.
const COPY_FLAGS: [&str; 5] = ["from", "chown", "chmod", "link", "parents"];
const ADD_FLAGS: [&str; 5] = ["chown", "chmod", "link", "checksum", "keep-git-dir"];

/// Reads what stands behind `COPY` or `ADD`.
///
/// # Errors
/// Options that do not exist or are refused, too few words.
pub fn transfer(
    of: &'static str,
    rest: &str,
    heredocs: Vec<Heredoc>,
    escape: char,
) -> Result<Transfer, Problem> {
    let (flags, rest) = Flags::split(rest);
    flags.only(if of == "COPY" { &COPY_FLAGS } else { &ADD_FLAGS }, &["exclude"])?;
    let mut words = json(rest).unwrap_or_else(|| plain_words(rest, escape));
    let destination = match words.len() {
        0 => return Err(Problem::AtLeastOne(of)),
        1 => return Err(Problem::NoDestination(of)),
        _ => words.pop().unwrap_or_default(),
    };
    let mut documents = heredocs.into_iter();
    let sources = words.into_iter().map(|word| match heredoc::parse(&word) {
        Some(_) => documents.next().map_or(Source::Path(word), Source::Inline),
        None => Source::Path(word),
    });
    Ok(Transfer {
        sources: sources.collect(),
        destination,
        from: flags.value("from")?,
        chown: flags.value("chown")?,
        chmod: flags.value("chmod")?.map(mode).transpose()?,
        link: flags.is_set("link")?,
        checksum: flags.value("checksum")?,
        exclude: flags.values("exclude")?,
    })
    .and_then(|transfer| {
        // Both change which files arrive; doing as if they were not there would be a lie.
        for flag in ["parents", "keep-git-dir"] {
            if flags.is_set(flag)? {
                let reason = "not supported by learn".to_owned();
                return Err(Problem::BadValue { value: "true".into(), flag: flag.to_owned(), reason });
            }
        }
        Ok(transfer)
    })
}

/// Blanks part words; quotes stay, they are taken away when variables are put in.
fn plain_words(rest: &str, escape: char) -> Vec<String> {
    pairs::words(rest, escape)
}

/// Octal digits, at most four; variables are let through.
fn mode(text: String) -> Result<String, Problem> {
    let octal = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    if octal || text.contains('$') {
        return Ok(text);
    }
    let reason = "it should be octal digits, as 0755".to_owned();
    Err(Problem::BadValue { value: text, flag: "chmod".into(), reason })
}

/// Reads `type=cache,target=/x,ro`.
///
/// # Errors
/// A type that does not exist.
pub fn mount(text: &str) -> Result<Mount, Problem> {
    let mut kind = "bind".to_owned();
    let mut options = Vec::new();
    for field in text.split(',') {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        match key.to_ascii_lowercase().as_str() {
            "type" => kind = value.to_ascii_lowercase(),
            key => options.push((key.to_owned(), value.to_owned())),
        }
    }
    if !matches!(kind.as_str(), "bind" | "cache" | "tmpfs" | "secret" | "ssh") {
        let reason = format!("unsupported mount type {kind:?}");
        return Err(Problem::BadValue { value: text.to_owned(), flag: "mount".into(), reason });
    }
    Ok(Mount { kind, options })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(rest: &str) -> Result<Transfer, Problem> {
        transfer("COPY", rest, Vec::new(), '\\')
    }

    #[test]
    fn sources_and_destination_are_words_or_a_list() {
        let plain = copy("--from=b --chmod=0644 a* b /dest/").unwrap();
        assert_eq!(plain.sources, [Source::Path("a*".into()), Source::Path("b".into())]);
        assert_eq!((plain.destination.as_str(), plain.from.as_deref()), ("/dest/", Some("b")));
        let list = copy(r#"["with blank", "/dest"]"#).unwrap();
        assert_eq!(list.sources, [Source::Path("with blank".into())]);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert_eq!(copy("").unwrap_err(), Problem::AtLeastOne("COPY"));
        assert_eq!(copy("a").unwrap_err(), Problem::NoDestination("COPY"));
        assert_eq!(copy("--checksum=x a b").unwrap_err(), Problem::UnknownFlag("--checksum".into()));
        assert!(matches!(copy("--chmod=rwx a b").unwrap_err(), Problem::BadValue { .. }));
        assert!(matches!(copy("--parents a b").unwrap_err(), Problem::BadValue { .. }));
    }

    #[test]
    fn a_mount_is_a_bind_unless_it_says_otherwise() {
        assert_eq!(mount("target=/x").unwrap().kind, "bind");
        let cache = mount("type=cache,target=/x,ro").unwrap();
        assert_eq!(cache.options, [("target".to_owned(), "/x".to_owned()), ("ro".to_owned(), String::new())]);
        assert!(mount("type=nope").is_err());
    }
}
