//! Docker's question before something is gone.

use super::{Failure, output};
use std::io::BufRead;

/// Asks; only `y` is yes.
pub fn confirmed(question: &str) -> Result<bool, Failure> {
    output::text(&format!("{question} [y/N] "))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
