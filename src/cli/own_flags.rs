//! `learn`'s own flags behind the image's name.
//!
//! Flags end at the image: what follows is the program's. But `learn run hello-world --explain`
//! is the first thing a learner types, so `--explain[=…]`, `--step` and `--lang ko|en` are taken
//! out of what directly follows the image, up to the first word that is none of them. A `--`
//! before one of them hands it to the program after all.

use super::render::Depth;
use crate::text::Lang;
use clap::ValueEnum;

/// What was found behind the image.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Own {
    pub explain: Option<Depth>,
    pub step: bool,
    pub lang: Option<Lang>,
}

/// Takes `learn`'s flags out of the words behind the image; what is left is the command.
///
/// # Errors
/// A depth that does not exist, in the words of a flag error.
pub fn take(words: &mut Vec<String>) -> Result<Own, String> {
    let mut own = Own::default();
    let mut taken = 0;
    while let Some(word) = words.get(taken) {
        let next = words.get(taken + 1).map(String::as_str);
        taken += match claim(word, next, &mut own)? {
            0 if word == "--" && next.is_some_and(|next| is_own(next, words.get(taken + 2))) => {
                taken += 1;
                break;
            }
            0 => break,
            count => count,
        };
    }
    words.drain(..taken);
    Ok(own)
}

/// How many words, from `word` on, are a flag of ours.
fn claim(word: &str, next: Option<&str>, own: &mut Own) -> Result<usize, String> {
    match word.split_once('=') {
        None if word == "--explain" => own.explain = Some(Depth::default()),
        None if word == "--step" => own.step = true,
        None if word == "--lang" => match next.and_then(|next| next.parse().ok()) {
            Some(lang) => {
                own.lang = Some(lang);
                return Ok(2);
            }
            None => return Ok(0),
        },
        Some(("--lang", value)) => match value.parse() {
            Ok(lang) => own.lang = Some(lang),
            Err(_) => return Ok(0),
        },
        Some(("--explain", value)) => {
            let depth = Depth::from_str(value, false);
            own.explain = Some(depth.map_err(|_| {
                format!(
                    "invalid argument \"{value}\" for \"--explain\" flag: expected story, stage or kernel"
                )
            })?);
        }
        _ => return Ok(0),
    }
    Ok(1)
}

fn is_own(word: &str, next: Option<&String>) -> bool {
    claim(word, next.map(String::as_str), &mut Own::default()).map_or(true, |count| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> (Own, String) {
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let own = take(&mut words).unwrap();
        (own, words.join(" "))
    }

    #[test]
    fn flags_directly_behind_the_image_are_learns() {
        let (own, rest) = split("--explain=kernel --step --lang ko ls --explain");
        assert_eq!(own, Own { explain: Some(Depth::Kernel), step: true, lang: Some(Lang::Ko) });
        assert_eq!(rest, "ls --explain");
    }

    #[test]
    fn the_programs_own_words_stay() {
        for line in ["ls -l --step", "-- ls", "--lang C", "--lang=tr", "--color"] {
            assert_eq!(split(line), (Own::default(), line.to_owned()));
        }
    }

    #[test]
    fn two_dashes_hand_a_flag_of_ours_to_the_program() {
        assert_eq!(split("-- --explain x"), (Own::default(), "--explain x".to_owned()));
        let (own, rest) = split("--step -- --lang ko");
        assert!(own.step && own.lang.is_none());
        assert_eq!(rest, "--lang ko");
    }

    #[test]
    fn a_depth_that_does_not_exist_is_said() {
        assert!(take(&mut vec!["--explain=deep".to_owned()]).unwrap_err().contains("\"deep\""));
    }
}
