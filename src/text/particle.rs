//! Korean particles: which of `을/를`, `이/가`, `은/는`, `(으)로` follows a word depends on its
//! last sound. Values are often digits or Latin words, so those are judged by how they are read.

/// How a word ends when it is read aloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Vowel,
    /// ㄹ, after which `로` needs no `으`.
    Rieul,
    Consonant,
}

/// Whether `pair` is written as `을/를` (after a consonant / after a vowel) or `(으)로`.
pub(super) fn is_pair(pair: &str) -> bool {
    split(pair).is_some()
}

/// The form that fits after `word`.
pub(super) fn choose<'a>(word: &str, pair: &'a str) -> &'a str {
    let Some((after_consonant, after_vowel)) = split(pair) else { return pair };
    match ending(word) {
        Ending::Vowel => after_vowel,
        Ending::Rieul if after_vowel.starts_with('로') => after_vowel,
        Ending::Rieul | Ending::Consonant => after_consonant,
    }
}

/// Pairs written with brackets, and both their forms.
const BRACKETED: [(&str, &str, &str); 3] =
    [("(으)로", "으로", "로"), ("(이)라", "이라", "라"), ("(이)며", "이며", "며")];

/// The form after a consonant and the one after a vowel.
fn split(pair: &str) -> Option<(&str, &str)> {
    if let Some((_, long, short)) = BRACKETED.iter().find(|(written, ..)| *written == pair) {
        return Some((long, short));
    }
    pair.split_once('/').filter(|(first, second)| is_hangul(first) && is_hangul(second))
}

fn is_hangul(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| ('가'..='힣').contains(&c))
}

fn ending(word: &str) -> Ending {
    let spoken = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    match spoken.chars().next_back() {
        Some(last) if ('가'..='힣').contains(&last) => match (last as u32 - '가' as u32) % 28 {
            0 => Ending::Vowel,
            8 => Ending::Rieul,
            _ => Ending::Consonant,
        },
        // 영 일 이 삼 사 오 육 칠 팔 구
        Some('1' | '7' | '8') => Ending::Rieul,
        Some('0' | '3' | '6') => Ending::Consonant,
        Some(last) if last.is_ascii_alphabetic() => latin_ending(spoken),
        _ => Ending::Vowel,
    }
}

/// How Korean reads a Latin word's end: `kernel` 커널, `alpine` 알파인, `root` 루트, `net` 넷.
fn latin_ending(spoken: &str) -> Ending {
    let start = spoken.rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    let run = spoken.get(start..).unwrap_or(spoken);
    let letters: Vec<char> = run.chars().map(|c| c.to_ascii_lowercase()).collect();
    let spelled = letters.len() == 1 || run.chars().all(|c| c.is_ascii_uppercase());
    let is_vowel = |c: &char| "aeiou".contains(*c);
    match letters.as_slice() {
        [.., 'l'] => Ending::Rieul,
        [.., 'r'] if spelled => Ending::Rieul,
        [.., 'm' | 'n'] => Ending::Consonant,
        _ if spelled => Ending::Vowel,
        [.., 'n', 'g'] => Ending::Consonant,
        // A silent e: image 이미지, but name 네임, file 파일.
        [.., 'l', 'e'] => Ending::Rieul,
        [.., 'm' | 'n', 'e'] => Ending::Consonant,
        [.., before, 'p' | 'k'] if is_vowel(before) => Ending::Consonant,
        [.., early, before, 't' | 'c'] if is_vowel(before) && !is_vowel(early) => Ending::Consonant,
        _ => Ending::Vowel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangul_digits_and_latin_words_are_read_aloud() {
        for (word, expected) in [
            ("컨테이너", "는"),
            ("이미지", "는"),
            ("레이어", "는"),
            ("데몬", "은"),
            ("137", "은"),
            ("2", "는"),
            ("10", "은"),
            ("hello-world", "는"),
            ("hello-world:latest", "는"),
            ("alpine", "은"),
            ("/proc", "은"),
            ("learn", "은"),
            ("(데몬)", "은"),
            ("root", "는"),
            ("cgroup", "은"),
            ("", "는"),
        ] {
            assert_eq!(choose(word, "은/는"), expected, "after {word:?}");
        }
    }

    #[test]
    fn rieul_takes_ro_without_eu() {
        for (word, expected) in [
            ("커널", "로"),
            ("셸", "로"),
            ("7", "로"),
            ("3", "으로"),
            ("이름", "으로"),
            ("SIGKILL", "로"),
            ("overlay", "로"),
        ] {
            assert_eq!(choose(word, "(으)로"), expected, "after {word:?}");
        }
    }

    #[test]
    fn only_hangul_pairs_are_particles() {
        assert!(is_pair("이/가") && is_pair("(으)로") && is_pair("이라는/라는"));
        assert!(!is_pair("a/b") && !is_pair("을") && !is_pair("(x)로"));
    }
}
