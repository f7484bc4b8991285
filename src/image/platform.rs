//! Platforms: `os/architecture[/variant]`, and which entry of a manifest list suits one.
//!
//! Names and fallbacks follow containerd's `platforms` package, which Docker uses.

use crate::error::{Classify, Kind};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An operating system on a processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// Go's name: `amd64`, `arm64`.
    pub architecture: String,
    /// `v7`; empty where the architecture has only one.
    #[serde(default)]
    pub variant: String,
}

/// A `--platform` that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?}: expected a platform as os/architecture[/variant], such as linux/arm64")]
pub struct Error(String);

impl Classify for Error {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

impl Platform {
    /// Builds a normalised platform.
    pub fn new(os: &str, architecture: &str, variant: &str) -> Platform {
        let (architecture, variant) = normalise(&architecture.to_lowercase(), &variant.to_lowercase());
        Platform { os: os.to_lowercase(), architecture, variant }
    }

    /// This machine's, given Go's name of its architecture.
    pub fn of_machine(architecture: &str) -> Platform {
        Platform::new("linux", architecture, "")
    }

    /// What this platform can run, best first.
    pub fn candidates(&self) -> Vec<Platform> {
        let arm = |from: u8| (5..=from).rev().map(|version| ("arm".to_owned(), format!("v{version}")));
        let own = (self.architecture.clone(), self.variant.clone());
        let version = || self.variant.trim_start_matches('v').parse::<u8>().unwrap_or(1);
        let more: Vec<(String, String)> = match self.architecture.as_str() {
            "amd64" => {
                let levels = (2..version()).rev().map(|level| ("amd64".to_owned(), format!("v{level}")));
                let base = (version() > 1).then(|| ("amd64".to_owned(), String::new()));
                levels.chain(base).chain([("386".to_owned(), String::new())]).collect()
            }
            "arm64" => arm(8).collect(),
            "arm" => arm(version().saturating_sub(1)).collect(),
            _ => Vec::new(),
        };
        std::iter::once(own)
            .chain(more)
            .map(|(architecture, variant)| Platform { os: self.os.clone(), architecture, variant })
            .collect()
    }

    /// The entry that suits best; `None` in the list is an entry that names no platform, taken
    /// only when nothing else suits.
    pub fn choose(&self, offered: &[Option<Platform>]) -> Option<usize> {
        self.candidates()
            .iter()
            .find_map(|wanted| offered.iter().position(|entry| entry.as_ref() == Some(wanted)))
            .or_else(|| offered.iter().position(Option::is_none))
    }

    /// Whether an image made for `other` runs here.
    pub fn runs(&self, other: &Platform) -> bool {
        self.candidates().contains(other)
    }
}

/// Docker shows the variant of `arm64`, which is always the same, too.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variant = match (self.architecture.as_str(), self.variant.as_str()) {
            ("arm64", "") => "v8",
            (_, variant) => variant,
        };
        write!(f, "{}/{}", self.os, self.architecture)?;
        if variant.is_empty() { Ok(()) } else { write!(f, "/{variant}") }
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Platform, Error> {
        let parts: Vec<&str> = text.split('/').collect();
        let good = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        if !parts.iter().all(good) {
            return Err(Error(text.to_owned()));
        }
        match parts[..] {
            ["linux"] => Ok(Platform::of_machine(std::env::consts::ARCH)),
            [architecture] if is_known(architecture) => Ok(Platform::new("linux", architecture, "")),
            [os, architecture] => Ok(Platform::new(os, architecture, "")),
            [os, architecture, variant] => Ok(Platform::new(os, architecture, variant)),
            _ => Err(Error(text.to_owned())),
        }
    }
}

fn is_known(architecture: &str) -> bool {
    let (name, _) = normalise(&architecture.to_lowercase(), "");
    matches!(
        name.as_str(),
        "amd64"
            | "arm64"
            | "arm"
            | "386"
            | "ppc64le"
            | "s390x"
            | "riscv64"
            | "loong64"
            | "mips64le"
            | "mips64"
    )
}

/// One spelling for each: `x86_64` is `amd64`, `aarch64` is `arm64`, `armhf` is `arm/v7`.
fn normalise(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = match (architecture, variant) {
        ("x86_64" | "x86-64" | "amd64", "v1" | "") => ("amd64", ""),
        ("x86_64" | "x86-64", level) => ("amd64", level),
        ("i386" | "i686" | "x86", _) => ("386", ""),
        ("aarch64" | "arm64", "8" | "v8" | "") => ("arm64", ""),
        ("aarch64", level) => ("arm64", level),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    (architecture.to_owned(), variant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Platform {
        text.parse().expect(text)
    }

    fn choose(wanted: &str, offered: &[&str]) -> Option<usize> {
        let offered: Vec<_> = offered.iter().map(|text| Some(parse(text))).collect();
        parse(wanted).choose(&offered)
    }

    #[test]
    fn spellings_meet() {
        assert_eq!(parse("linux/aarch64"), parse("arm64"));
        assert_eq!(parse("linux/arm64").to_string(), "linux/arm64/v8");
        assert_eq!(parse("linux/arm").to_string(), "linux/arm/v7");
        assert_eq!(parse("linux/x86_64").to_string(), "linux/amd64");
        assert!("linux/".parse::<Platform>().is_err());
        assert!("a/b/c/d".parse::<Platform>().is_err());
    }

    #[test]
    fn the_nearest_variant_is_chosen() {
        assert_eq!(choose("linux/arm/v7", &["linux/arm/v5", "linux/arm/v6", "linux/arm64"]), Some(1));
        assert_eq!(choose("linux/arm64", &["linux/arm/v7", "linux/arm64/v8"]), Some(1));
        assert_eq!(choose("linux/arm64", &["linux/amd64", "linux/arm/v7"]), Some(1));
        assert_eq!(choose("linux/arm/v6", &["linux/arm/v7"]), None);
        assert_eq!(choose("linux/amd64", &["unknown/unknown", "linux/386"]), Some(1));
    }
}
