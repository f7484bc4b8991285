//! Here-documents: `RUN <<EOF`, `COPY <<-"name" /path`.

/// One document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it; also the file's name where it is copied.
    pub name: String,
    /// Descriptor the shell is to give it (`3<<EOF`); 0 when not said.
    pub descriptor: u32,
    /// Whether variables are put in: not when the word was quoted.
    pub expand: bool,
    /// `<<-`: tabs at the beginning of lines are left out.
    pub chomp: bool,
    /// Its lines, each with its line break.
    pub body: String,
}

/// Documents a line announces, their bodies still empty. Only `RUN`, `COPY` and `ADD` can have any,
/// also below `ONBUILD`.
pub fn announced(line: &str) -> Vec<Heredoc> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match word.to_ascii_uppercase().as_str() {
        "ONBUILD" => announced(rest.trim_start()),
        "RUN" | "COPY" | "ADD" => words(rest).iter().filter_map(|word| parse(word)).collect(),
        _ => Vec::new(),
    }
}

/// The shell's words with their quotes kept; a JSON list has none that matter here.
fn words(rest: &str) -> Vec<String> {
    if rest.trim_start().starts_with('[') {
        return Vec::new();
    }
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in rest.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_whitespace() => {
                words.push(std::mem::take(&mut word));
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// `3<<-"EOF"`.
pub fn parse(word: &str) -> Option<Heredoc> {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = word[digits..].strip_prefix("<<")?;
    let (chomp, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let name = rest.replace(['\'', '"'], "");
    if name.is_empty() {
        return None;
    }
    Some(Heredoc {
        expand: name == rest,
        descriptor: word[..digits].parse().unwrap_or(0),
        chomp,
        body: String::new(),
        name,
    })
}

impl Heredoc {
    /// Takes its body from the lines that follow; the number of lines used, the ending one
    /// included; `None` when it does not end.
    pub fn take(&mut self, lines: &[&str]) -> Option<usize> {
        let strip = |line: &str| -> String {
            if self.chomp { line.trim_start_matches('\t').to_owned() } else { line.to_owned() }
        };
        let end = lines.iter().position(|line| strip(line) == self.name)?;
        self.body = lines[..end].iter().map(|line| strip(line) + "\n").collect();
        Some(end + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_announce_documents_are_found() {
        let found = announced("RUN 3<<-'EOF' cat && echo <<not <<<no");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].descriptor, found[0].chomp, found[0].expand), (3, true, false));
        assert_eq!((found[1].name.as_str(), found[1].expand), ("not", true));
        assert!(announced("CMD <<EOF").is_empty());
        assert!(announced(r#"RUN ["echo", "<<EOF"]"#).is_empty());
        assert_eq!(announced("ONBUILD COPY <<a /a").len(), 1);
    }

    #[test]
    fn tabs_are_left_out_when_asked() {
        let mut document = parse("<<-E").unwrap();
        assert_eq!(document.take(&["\ta", "\t\tb", "\tE", "c"]), Some(3));
        assert_eq!(document.body, "a\nb\n");
    }
}
