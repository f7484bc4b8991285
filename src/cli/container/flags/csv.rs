//! One line of comma-separated values, as `--mount` and `--network` take them.

/// The fields of a line; a field in double quotes may hold commas.
///
/// # Errors
/// A quote out of place, in the words of Go's encoding/csv.
pub fn fields(line: &str) -> Result<Vec<String>, String> {
    if line.is_empty() {
        return Err("EOF".to_owned());
    }
    let mut fields = Vec::new();
    let mut rest = line;
    let bad = |at: &str, what: &str| {
        let column = line.len() - at.len() + 1;
        format!("parse error on line 1, column {column}: {what}")
    };
    loop {
        if let Some(mut quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            loop {
                let end =
                    quoted.find('"').ok_or_else(|| bad("", "extraneous or missing \" in quoted-field"))?;
                field.push_str(&quoted[..end]);
                quoted = &quoted[end + 1..];
                match quoted.strip_prefix('"') {
                    Some(after) => {
                        field.push('"');
                        quoted = after;
                    }
                    None => break,
                }
            }
            fields.push(field);
            match quoted.strip_prefix(',') {
                Some(next) => rest = next,
                None if quoted.is_empty() => return Ok(fields),
                None => {
                    let at = &line[line.len() - quoted.len() - 1..];
                    return Err(bad(at, "extraneous or missing \" in quoted-field"));
                }
            }
        } else {
            let (field, next) =
                rest.split_once(',').map_or((rest, None), |(field, next)| (field, Some(next)));
            if let Some(quote) = field.find('"') {
                return Err(bad(&rest[quote..], "bare \" in non-quoted-field"));
            }
            fields.push(field.to_owned());
            match next {
                Some(next) => rest = next,
                None => return Ok(fields),
            }
        }
    }
}
