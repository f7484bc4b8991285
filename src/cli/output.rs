//! Our own lines on the two standard streams. Errors come back as errors: a reader that went
//! away ends the command quietly.

use super::Failure;
use std::io::Write;

/// One line on standard output.
pub fn line(line: &str) -> Result<(), Failure> {
    text(&format!("{line}\n"))
}

/// Text on standard output.
pub fn text(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// One line on standard error.
pub fn error_line(line: &str) -> Result<(), Failure> {
    Ok(std::io::stderr().lock().write_all(format!("{line}\n").as_bytes())?)
}

/// The program's exit code as the command's own end.
pub fn exited(code: i64) -> Result<(), Failure> {
    match code {
        0 => Ok(()),
        code => Err(Failure::Exited(code)),
    }
}
