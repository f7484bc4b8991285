//! Names of volumes become names of directories.

use super::Error;

/// Checks a name: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
///
/// # Errors
/// Docker's words.
pub fn check(name: &str) -> Result<(), Error> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.len() == 1 {
        return Err(Error::Short(name.to_owned()));
    }
    match name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(sound) {
        true => Ok(()),
        false => Err(Error::Name(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_name_cannot_leave_its_directory() {
        for good in ["data", "a.b-c_d", "00", "x.."] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["x", "../x", ".hidden", "a/b", "-x", "a b", ""] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check("x!y").unwrap_err().to_string().starts_with("create x!y: \"x!y\" includes invalid"));
    }
}
