//! Which language the learner reads.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Korean or English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Lang {
    /// Korean.
    Ko,
    /// English, also for every locale that is not Korean.
    #[default]
    En,
}

impl Lang {
    /// Both, Korean first.
    pub const ALL: [Lang; 2] = [Lang::Ko, Lang::En];

    /// The learner's language: `--lang`, else `LEARN_LANG`, else the locale.
    pub fn detect(flag: Option<Lang>) -> Lang {
        flag.unwrap_or_else(|| Lang::from_settings(|name| std::env::var(name).ok()))
    }

    /// The same from given settings. `LEARN_LANG` that names no language is passed over; of the
    /// locale variables the first that is not empty decides, in the order of locale(7).
    pub fn from_settings(setting: impl Fn(&str) -> Option<String>) -> Lang {
        if let Some(lang) = setting("LEARN_LANG").and_then(|value| value.parse().ok()) {
            return lang;
        }
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| setting(name))
            .find(|value| !value.is_empty());
        match locale {
            Some(locale) if is_korean(&locale) => Lang::Ko,
            _ => Lang::En,
        }
    }
}

/// `ko`, `ko_KR.UTF-8`, `ko@latin`; not `kok_IN`, which is Konkani.
fn is_korean(locale: &str) -> bool {
    let language = locale.split(['_', '.', '@', '-']).next().unwrap_or_default();
    language.eq_ignore_ascii_case("ko")
}

impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(name: &str) -> Result<Lang, UnknownLang> {
        match name.to_ascii_lowercase().as_str() {
            "ko" => Ok(Lang::Ko),
            "en" => Ok(Lang::En),
            _ => Err(UnknownLang(name.to_owned())),
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lang::Ko => "ko",
            Lang::En => "en",
        })
    }
}

/// A language that is neither `ko` nor `en`.
#[derive(Debug, thiserror::Error)]
#[error("unknown language {0:?}: expected ko or en")]
pub struct UnknownLang(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    fn with(settings: &[(&str, &str)]) -> Lang {
        Lang::from_settings(|name| {
            settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_set_variable_decides() {
        assert_eq!(with(&[("LANG", "ko_KR.UTF-8")]), Lang::Ko);
        assert_eq!(with(&[("LC_ALL", "C.UTF-8"), ("LANG", "ko_KR.UTF-8")]), Lang::En);
        assert_eq!(with(&[("LC_ALL", ""), ("LC_MESSAGES", "ko"), ("LANG", "C")]), Lang::Ko);
        assert_eq!(with(&[("LEARN_LANG", "en"), ("LANG", "ko_KR.UTF-8")]), Lang::En);
        assert_eq!(with(&[("LEARN_LANG", "fr"), ("LANG", "ko_KR.UTF-8")]), Lang::Ko);
    }

    #[test]
    fn other_locales_and_none_read_english() {
        assert_eq!(with(&[]), Lang::En);
        assert_eq!(with(&[("LANG", "C.UTF-8")]), Lang::En);
        assert_eq!(with(&[("LANG", "kok_IN")]), Lang::En);
    }
}
