//! Builds `/hello`, the program of the built-in `hello-world` image, before `learn` itself.
//!
//! Cargo cannot embed one binary of a package in another, so this script calls the compiler on
//! `hello/program.rs`. It leaves two files in `OUT_DIR` for `src/hub/hello.rs`: `message.txt`, the
//! message with the architecture filled in, and `hello`, a static ELF file of a few kilobytes.

use super::{fail, variable};
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

const MESSAGE: &str = "src/hub/hello/message.txt";
const PROGRAM: &str = "src/hub/hello/program.rs";

/// Cargo's name of an architecture, and the name OCI images give it (Go's GOARCH).
const ARCHITECTURES: [(&str, &str); 2] = [("x86_64", "amd64"), ("aarch64", "arm64")];

/// Compiler flags for a program without a C library, start-up files or unwinding.
const FLAGS: [&str; 14] = [
    "--edition=2024",
    "--crate-name=hello",
    "--crate-type=bin",
    "-Cpanic=abort",
    "-Copt-level=s",
    "-Cstrip=symbols",
    "-Cforce-unwind-tables=no",
    "-Crelocation-model=static",
    "-Clink-arg=-nostartfiles",
    "-Clink-arg=-nodefaultlibs",
    "-Clink-arg=-static",
    // One page-aligned segment instead of four padded ones, and no identifier that would differ
    // from one linker to the next: the image's digest comes from these bytes.
    "-Clink-arg=-Wl,-z,noseparate-code",
    "-Clink-arg=-Wl,--build-id=none",
    "-Clink-arg=-Wl,--no-eh-frame-hdr",
];

pub fn make() {
    for path in ["src/hub/build.rs", MESSAGE, PROGRAM] {
        println!("cargo::rerun-if-changed={path}");
    }
    let out = variable("OUT_DIR");
    // The program includes the message, so the message comes first.
    write_message(&Path::new(&out).join("message.txt"));
    compile_program(&Path::new(&out).join("hello"));
}

fn write_message(target: &Path) {
    let cargo_name = variable("CARGO_CFG_TARGET_ARCH");
    let Some((_, oci_name)) = ARCHITECTURES.iter().find(|(name, _)| *name == cargo_name) else {
        fail(&format!("{PROGRAM} makes system calls for x86_64 and aarch64 only, not {cargo_name}"));
    };
    let template =
        fs::read_to_string(MESSAGE).unwrap_or_else(|error| fail(&format!("cannot read {MESSAGE}: {error}")));
    fs::write(target, template.replace("{architecture}", oci_name))
        .unwrap_or_else(|error| fail(&format!("cannot write {}: {error}", target.display())));
}

fn compile_program(target: &Path) {
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(FLAGS).arg(PROGRAM).arg("--target").arg(variable("TARGET")).arg("-o").arg(target);
    // Set when the user configured a linker for this target (a cross build).
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    // The musl targets bring start-up files of their own, with a second `_start`.
    if variable("CARGO_CFG_TARGET_ENV") == "musl" {
        rustc.arg("-Clink-self-contained=no");
    }
    match rustc.status() {
        Ok(status) if status.success() => {}
        Ok(status) => fail(&format!("cannot compile {PROGRAM} ({status}): {rustc:?}")),
        Err(error) => fail(&format!("cannot start the compiler for {PROGRAM}: {error}: {rustc:?}")),
    }
}
