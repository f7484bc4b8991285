//! The images both engines pull: the built-in hub's, and stand-ins for what the notes run, all in
//! one registry.

use super::peer::DockerRegistry;
use learn::hub::image::{Blob, Image, Recipe};
use learn::hub::machine::Machine;
use learn::hub::tree::{Node, Tree};
use learn::hub::{Catalog, alpine};

/// Fills a registry.
pub fn fill(registry: &DockerRegistry) {
    let catalog = Catalog::builtin();
    for name in catalog.names() {
        let image = catalog.image(name).expect("it can be made").expect("it has it");
        push(registry, name, &image);
    }
    // The notes run a web server and a data base; neither has to serve here, only to stay.
    push(
        registry,
        "library/httpd",
        &stand_in("httpd-foreground", "#!/bin/sh\ntrap 'exit 0' TERM\nsleep 1000 &\nwait\n"),
    );
    push(
        registry,
        "library/redis",
        &stand_in("redis-server", "#!/bin/sh\necho 'Ready to accept connections'\n"),
    );
}

/// alpine with one more program, which is what it runs.
fn stand_in(program: &str, script: &'static str) -> Image {
    let machine = Machine::this();
    let source = alpine::choose(&machine).expect("programs for alpine");
    let mut tree: Tree = alpine::tree(&source, &machine).expect("a tree");
    tree.insert(&format!("usr/local/bin/{program}"), Node::File { mode: 0o755, content: script.into() });
    let recipe = Recipe { tree: &tree, command: &[program], origin: "a stand-in" };
    Image::build(&recipe).expect("an image")
}

fn push(registry: &DockerRegistry, repository: &str, image: &Image) {
    let blob = |blob: &Blob| {
        let (digest, size) = (blob.digest.to_string(), blob.bytes.len() as u64);
        registry.push_blob(repository, &digest, size, &mut &blob.bytes[..]).expect("a blob is taken");
    };
    blob(&image.layer);
    blob(&image.config);
    let manifest = |tag: &str, blob: &Blob| {
        let text = std::str::from_utf8(&blob.bytes).expect("JSON");
        registry.push_manifest(repository, tag, blob.media_type.as_ref(), text).expect("a manifest is taken");
    };
    manifest(image.manifest.digest.as_ref(), &image.manifest);
    manifest("latest", &image.index);
}

/// A shell command that pulls images.
pub fn pulls(images: &[String]) -> String {
    let pulls: Vec<String> =
        images.iter().map(|image| format!("docker pull -q {image} >/dev/null")).collect();
    if pulls.is_empty() { "true".to_owned() } else { pulls.join(" && ") }
}
