//! Names of containers: the rules, and the names made up for those who give none.

use super::Error;

/// How a container may feel.
const ADJECTIVES: [&str; 48] = [
    "agile", "ample", "astute", "awake", "blithe", "bright", "brisk", "candid", "careful", "civil", "clear",
    "cordial", "curious", "daring", "deft", "diligent", "early", "exact", "fearless", "fluent", "gallant",
    "genial", "hardy", "honest", "humble", "keen", "lively", "lucid", "mellow", "merry", "nimble", "orderly",
    "patient", "playful", "precise", "prudent", "quiet", "rapid", "robust", "sincere", "spry", "steady",
    "subtle", "sunny", "tidy", "upbeat", "vivid", "witty",
];

/// Surnames of people whose work computing, mathematics and the sciences stand on.
const SURNAMES: [&str; 56] = [
    "abel",
    "ampere",
    "avogadro",
    "backus",
    "banach",
    "bernoulli",
    "boole",
    "cantor",
    "cauchy",
    "chandrasekhar",
    "church",
    "codd",
    "curry",
    "dedekind",
    "dirac",
    "engelbart",
    "erdos",
    "euler",
    "faraday",
    "fermat",
    "floyd",
    "fourier",
    "galois",
    "gauss",
    "godel",
    "gosset",
    "hamming",
    "hilbert",
    "hollerith",
    "huffman",
    "jang",
    "kay",
    "kleene",
    "kolmogorov",
    "lagrange",
    "landin",
    "lee",
    "liskov",
    "mccarthy",
    "milner",
    "naur",
    "noether",
    "pascal",
    "perlman",
    "ramanujan",
    "riemann",
    "ritchie",
    "shannon",
    "strachey",
    "sutherland",
    "tukey",
    "turing",
    "wirth",
    "wu",
    "yao",
    "zuse",
];

/// Picks a name from random bytes; `attempt` above 0 appends a digit, as names are taken.
pub fn generate(random: &[u8; 32], attempt: u32) -> String {
    let pick = |words: &[&'static str], at: usize| {
        words[usize::from(u16::from_le_bytes([random[at], random[at + 1]])) % words.len()]
    };
    let name = format!("{}_{}", pick(&ADJECTIVES, 0), pick(&SURNAMES, 2));
    if attempt == 0 { name } else { format!("{name}{}", (u32::from(random[4]) + attempt) % 10) }
}

/// Checks a name a client gave, and takes a leading slash off it.
///
/// # Errors
/// [`Error::Name`]: at least two characters of `[a-zA-Z0-9_.-]`, the first a letter or a digit.
pub fn check(given: &str) -> Result<String, Error> {
    let bare = given.strip_prefix('/').unwrap_or(given);
    let starts = bare.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = bare.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if starts && rest && bare.len() >= 2 { Ok(bare.to_owned()) } else { Err(Error::Name(given.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_name_keeps_the_rules() {
        for byte in 0..=255 {
            for attempt in [0, 3] {
                let name = generate(&[byte; 32], attempt);
                assert_eq!(check(&name), Ok(name));
            }
        }
    }

    #[test]
    fn a_bad_name_is_refused_with_dockers_words() {
        let message = "Invalid container name (/bad name), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed";
        assert_eq!(check("/bad name").unwrap_err().to_string(), message);
        for bad in ["", "a", "-a", "_b", "a b", "a/b", "한글"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(check("/web.1"), Ok("web.1".into()));
    }

    #[test]
    fn the_lists_hold_no_word_twice() {
        let unique =
            |words: &[&str]| words.iter().collect::<std::collections::HashSet<_>>().len() == words.len();
        assert!(unique(&ADJECTIVES) && unique(&SURNAMES));
    }
}
