//! JSON as `docker inspect` prints it: four spaces a level, fields in the daemon's order.

/// Indents a JSON document without touching its values or the order of its fields. Text that is
/// not JSON comes out with odd white space, never lost.
pub fn indent(document: &str, level: usize) -> String {
    let mut out = String::with_capacity(document.len() * 2);
    let mut depth = level;
    let mut in_string = false;
    let mut escaped = false;
    let mut chars = document.chars().peekable();
    while let Some(char) = chars.next() {
        if in_string {
            out.push(char);
            in_string = escaped || char != '"';
            escaped = !escaped && char == '\\';
            continue;
        }
        match char {
            '{' | '[' => {
                out.push(char);
                while chars.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(char);
            }
            ',' => {
                out.push(char);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                out.push(char);
                in_string = true;
            }
            space if space.is_ascii_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

/// Several documents as one array on one line, without white space between their parts.
pub fn compact(documents: &[String]) -> String {
    let documents: Vec<String> = documents.iter().map(|document| squeeze(document)).collect();
    format!("[{}]\n", documents.join(","))
}

fn squeeze(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    let mut in_string = false;
    let mut escaped = false;
    for char in document.chars() {
        if in_string {
            in_string = escaped || char != '"';
            escaped = !escaped && char == '\\';
        } else if char.is_ascii_whitespace() {
            continue;
        } else {
            in_string = char == '"';
        }
        out.push(char);
    }
    out
}

/// Several documents as one array.
pub fn array(documents: &[String]) -> String {
    if documents.is_empty() {
        return "[]\n".to_owned();
    }
    let indented: Vec<String> =
        documents.iter().map(|document| format!("    {}", indent(document, 1))).collect();
    format!("[\n{}\n]\n", indented.join(",\n"))
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("    ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_strings_their_brackets() {
        let document = r#"{"b":[1,2],"a":"x\"{,}","e":{},"n": [ ]}"#;
        let text = "[\n    {\n        \"b\": [\n            1,\n            2\n        ],\n        \"a\": \"x\\\"{,}\",\n        \"e\": {},\n        \"n\": []\n    }\n]\n";
        assert_eq!(array(&[document.to_owned()]), text);
        let same: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(same[0], serde_json::from_str::<serde_json::Value>(document).unwrap());
    }

    #[test]
    fn nothing_is_an_empty_array() {
        assert_eq!(array(&[]), "[]\n");
    }
}
