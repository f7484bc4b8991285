//! What is made before `learn` itself is compiled, and embedded in it: one file each, beside the
//! module that embeds it.

#[path = "src/hub/build.rs"]
mod hello;
#[path = "src/text/build.rs"]
mod texts;

use std::process::exit;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    hello::make();
    texts::make();
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|error| fail(&format!("cargo did not set {name}: {error}")))
}

/// Ends the build with a sentence instead of a panic's backtrace.
fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    exit(1)
}
