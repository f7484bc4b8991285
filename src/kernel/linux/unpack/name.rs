//! Names inside an archive, made safe as text. Symbolic links are the kernel's to resolve: openat2(2).

use super::error::UnpackError;

/// The longest path the kernel takes, without its NUL: PATH_MAX.
const LONGEST: usize = 4095;

/// What a whiteout's name begins with: OCI image specification, layer.md.
const WHITEOUT: &[u8] = b".wh.";
/// Empties the directory it is in.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// aufs's own bookkeeping, which means nothing here.
const AUFS: &[u8] = b".wh..wh.";

/// A path relative to the layer's root: no empty, `.` or `..` component, no leading slash. The
/// empty path is the root itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(Vec<u8>);

impl Name {
    /// Cleans a name the way chroot(2) would read it, except that one which climbs above the root
    /// is refused: no tool writes such a name in good faith.
    pub(super) fn clean(raw: &[u8]) -> Result<Name, UnpackError> {
        let shown = || String::from_utf8_lossy(raw).into_owned();
        if raw.contains(&0) {
            return Err(UnpackError::Malformed(format!("the name {:?} holds a NUL byte", shown())));
        }
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in raw.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    if parts.pop().is_none() {
                        return Err(UnpackError::Malformed(format!(
                            "the name {:?} leads out of the layer",
                            shown()
                        )));
                    }
                }
                part => parts.push(part),
            }
        }
        let clean = parts.join(&b'/');
        if clean.len() > LONGEST {
            return Err(UnpackError::Malformed(format!("a name is {} bytes long", clean.len())));
        }
        Ok(Name(clean))
    }

    /// As bytes, for the kernel.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the layer's root.
    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Directory and last component; the directory is empty for the root.
    pub(super) fn split(&self) -> (&[u8], &[u8]) {
        match self.0.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&self.0[..slash], &self.0[slash + 1..]),
            None => (b"", &self.0),
        }
    }

    /// Whether `self` is `directory` or below it.
    pub(super) fn is_within(&self, directory: &Name) -> bool {
        directory.is_root()
            || self
                .0
                .strip_prefix(&*directory.0)
                .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    }
}

/// What a last component says about lower layers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mark<'a> {
    /// An ordinary entry.
    None,
    /// The named sibling of lower layers is gone.
    Whiteout(&'a [u8]),
    /// All of the directory's entries in lower layers are gone.
    Opaque,
    /// To be ignored.
    Bookkeeping,
}

/// Reads the mark of a last component.
pub(super) fn mark(component: &[u8]) -> Result<Mark<'_>, UnpackError> {
    if component == OPAQUE {
        return Ok(Mark::Opaque);
    }
    if component.starts_with(AUFS) {
        return Ok(Mark::Bookkeeping);
    }
    match component.strip_prefix(WHITEOUT) {
        None => Ok(Mark::None),
        Some(b"" | b"." | b"..") => Err(UnpackError::Malformed(format!(
            "the whiteout {:?} names no file",
            String::from_utf8_lossy(component)
        ))),
        Some(hidden) => Ok(Mark::Whiteout(hidden)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(raw: &[u8]) -> Option<Vec<u8>> {
        Name::clean(raw).ok().map(|name| name.0)
    }

    #[test]
    fn names_stay_beneath_the_root() {
        assert_eq!(clean(b"/etc/x").as_deref(), Some(&b"etc/x"[..]));
        assert_eq!(clean(b"./a//b/../c/").as_deref(), Some(&b"a/c"[..]));
        assert_eq!(clean(b"./").as_deref(), Some(&b""[..]));
        assert_eq!(clean(b"a/../../etc/x"), None);
        assert_eq!(clean(b".."), None);
        assert_eq!(clean(b"a\0b"), None);
    }

    #[test]
    fn a_whiteout_that_names_no_file_is_refused() {
        assert_eq!(mark(b".wh.gone").unwrap(), Mark::Whiteout(b"gone"));
        assert_eq!(mark(b".wh..wh..opq").unwrap(), Mark::Opaque);
        assert_eq!(mark(b".wh..wh.plnk").unwrap(), Mark::Bookkeeping);
        assert!(mark(b".wh.").is_err() && mark(b".wh...").is_err());
    }
}
