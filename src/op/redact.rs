//! Secrets print as `***`, wherever an operation is shown or stored.

/// Names whose values are secrets by the habit of the field.
const SECRET_MARKS: [&str; 7] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY", "API_KEY", "CREDENTIAL"];

/// `NAME=value` with the value hidden when the name says that it is a secret.
pub fn redact_environment(entry: &str) -> String {
    match entry.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=***"),
        _ => entry.to_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    SECRET_MARKS.iter().any(|mark| upper.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_value_prints_as_three_stars() {
        assert_eq!(redact_environment("DB_PASSWORD=hunter2"), "DB_PASSWORD=***");
        assert_eq!(redact_environment("PATH=/bin"), "PATH=/bin");
    }
}
