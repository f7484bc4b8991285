//! Where an archive is unpacked, and what its entries are called there: the rules of `docker cp`,
//! from moby's `pkg/archive`.

use super::copy::Place;
use super::paths::{asserts_directory, split};

/// What follows from both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Directory the archive is unpacked in.
    pub directory: String,
    /// What the entries' first name is, and what it becomes.
    pub rename: Option<Rename>,
}

/// A change of the beginning of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rename {
    from: String,
    to: String,
}

impl Rename {
    /// The name as it is to be.
    pub(super) fn apply(&self, name: &str) -> String {
        match name.strip_prefix(&self.from) {
            Some(rest) => format!("{}{rest}", self.to),
            None => name.to_owned(),
        }
    }
}

/// # Errors
/// Docker's words for what cannot be.
pub(super) fn plan(source: &Place, target: &Place) -> Result<Plan, &'static str> {
    if target.exists && target.is_directory {
        let rename = source.name.clone().map(|name| Rename { from: first_name(source), to: name });
        return Ok(Plan { directory: target.path.clone(), rename });
    }
    if target.exists && source.is_directory {
        return Err("cannot copy directory");
    }
    if !target.exists && !source.is_directory && asserts_directory(&target.path) {
        return Err("no such directory");
    }
    let (directory, to) = split(&target.path);
    let from = first_name(source);
    // The root's entries begin with a slash, which stays.
    let from = if from == "/" { String::new() } else { from };
    Ok(Plan { directory, rename: Some(Rename { from, to }) })
}

fn first_name(source: &Place) -> String {
    split(&source.path).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, exists: bool, is_directory: bool) -> Place {
        Place { path: path.into(), exists, is_directory, name: None }
    }

    /// Directory, and the name before and after.
    type Planned = (String, Option<(String, String)>);

    fn planned(source: Place, target: Place) -> Result<Planned, &'static str> {
        let Plan { directory, rename } = plan(&source, &target)?;
        Ok((directory, rename.map(|Rename { from, to }| (from, to))))
    }

    #[test]
    fn the_rules_are_dockers() {
        let file = || place("/src/f", true, false);
        let directory = |path: &str| place(path, true, true);
        let renamed =
            |directory: &str, from: &str, to: &str| Ok((directory.into(), Some((from.into(), to.into()))));
        // Into a directory that is there, under the source's own name.
        assert_eq!(planned(file(), directory("/d")), Ok(("/d".into(), None)));
        // Over a file, or to a new name.
        assert_eq!(planned(file(), place("/d/g", true, false)), renamed("/d", "f", "g"));
        assert_eq!(planned(file(), place("/d/g", false, false)), renamed("/d", "f", "g"));
        assert_eq!(planned(directory("/src/x"), place("/d/y", false, false)), renamed("/d", "x", "y"));
        assert_eq!(planned(directory("/src/x/."), place("/d/y", false, false)), renamed("/d", ".", "y"));
        // What cannot be.
        assert_eq!(planned(directory("/src/x"), place("/d/f", true, false)), Err("cannot copy directory"));
        assert_eq!(planned(file(), place("/d/new/", false, false)), Err("no such directory"));
    }

    #[test]
    fn names_change_at_their_beginning() {
        let rename = Rename { from: "x".into(), to: "y".into() };
        assert_eq!(rename.apply("x/a/x"), "y/a/x");
        let root = Rename { from: String::new(), to: "y".into() };
        assert_eq!(root.apply("/bin"), "y/bin");
    }
}
