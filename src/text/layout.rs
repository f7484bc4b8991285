//! Columns: a Hangul syllable fills two.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns `text` fills on a terminal; it must hold no escape sequences.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// `text` filled with spaces up to `columns`; a longer one is returned as it is.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` in lines of at most `columns`. Breaks stand at spaces; a word longer than a line is
/// broken only when it holds Hangul, so that commands, paths and digests stay whole and can be
/// copied. Line breaks in `text` are kept.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            push_word(&mut lines, &mut line, word, columns);
        }
        lines.push(line);
    }
    lines
}

fn push_word(lines: &mut Vec<String>, line: &mut String, word: &str, columns: usize) {
    let room = columns.saturating_sub(width(line) + usize::from(!line.is_empty()));
    if width(word) <= room {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        return;
    }
    if !line.is_empty() {
        lines.push(std::mem::take(line));
    }
    if width(word) <= columns || !word.chars().any(|c| ('가'..='힣').contains(&c)) {
        line.push_str(word);
        return;
    }
    for c in word.chars() {
        if width(line) + c.width().unwrap_or(0) > columns {
            lines.push(std::mem::take(line));
        }
        line.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangul_fills_two_columns() {
        assert_eq!(width("커널 ok"), 7);
        assert_eq!(pad("커널", 6), "커널  ");
        assert_eq!(pad("커널", 2), "커널");
    }

    #[test]
    fn lines_break_at_spaces_and_stay_within_the_columns() {
        let lines = wrap("레이어는 읽기 전용이라 여러 컨테이너가 함께 씁니다.", 20);
        assert!(lines.iter().all(|line| width(line) <= 20), "{lines:?}");
        assert_eq!(lines.join(" "), "레이어는 읽기 전용이라 여러 컨테이너가 함께 씁니다.");
    }

    #[test]
    fn a_long_path_stays_whole_and_a_long_hangul_word_does_not() {
        assert_eq!(wrap("see /var/lib/learn/blobs/sha256", 10), ["see", "/var/lib/learn/blobs/sha256"]);
        assert_eq!(wrap("가나다라마바사", 8), ["가나다라", "마바사"]);
    }
}
