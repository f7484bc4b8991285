//! `learn version`: both sides, as Docker lays them out.

use crate::cli::{Context, Failure, output};
use crate::client::ApiVersion;
use crate::wire::{Component, Version};

/// Prints the client's part, then the daemon's. The client's part needs no daemon.
pub async fn version(context: &Context) -> Result<(), Failure> {
    let server = context.client.server_version().await;
    let spoken = context.client.negotiate().await.unwrap_or(ApiVersion::NEWEST);
    output::text(&client_part(spoken))?;
    output::text(&format!("\n{}", server_part(&server?)))
}

fn client_part(spoken: ApiVersion) -> String {
    let api = match spoken == ApiVersion::NEWEST {
        true => spoken.to_string(),
        false => format!("{spoken} (downgraded from {})", ApiVersion::NEWEST),
    };
    let mut text = String::from("Client: learn\n");
    pairs(
        &mut text,
        1,
        &[("Version", env!("CARGO_PKG_VERSION")), ("API version", &api), ("OS/Arch", &platform())],
    );
    text
}

fn server_part(server: &Version) -> String {
    let mut text = match server.platform.name.as_str() {
        "" => "Server:\n".to_owned(),
        name => format!("Server: {name}\n"),
    };
    for component in &server.components {
        text.push_str(&format!(" {}:\n", component.name));
        match component.name.as_str() {
            "Engine" => engine(&mut text, component),
            _ => {
                let details = component.details.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let shown: Vec<_> =
                    std::iter::once(("Version", component.version.as_str())).chain(details).collect();
                pairs(&mut text, 2, &shown);
            }
        }
    }
    text
}

fn engine(text: &mut String, engine: &Component) {
    let detail = |name: &str| engine.details.get(name).map(String::as_str).unwrap_or_default();
    let api = format!("{} (minimum version {})", detail("ApiVersion"), detail("MinAPIVersion"));
    let arch = format!("{}/{}", detail("Os"), detail("Arch"));
    let known = [
        ("Version", engine.version.as_str()),
        ("API version", &api),
        ("Git commit", detail("GitCommit")),
        ("Built", detail("BuildTime")),
        ("OS/Arch", &arch),
        ("Kernel", detail("KernelVersion")),
        ("Experimental", detail("Experimental")),
    ];
    let shown: Vec<_> = known.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    pairs(text, 2, &shown);
}

/// Names and values, the values in Docker's column.
fn pairs(text: &mut String, indent: usize, pairs: &[(&str, &str)]) {
    let column = 20 - indent;
    for (name, value) in pairs {
        let name = format!("{name}:");
        text.push_str(&format!("{:indent$}{name:column$}{value}\n", ""));
    }
}

/// This machine in Go's names, as every Docker client prints it.
fn platform() -> String {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("{}/{arch}", std::env::consts::OS)
}
