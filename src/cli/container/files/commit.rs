//! `learn commit`: a container becomes an image.

use super::args;
use crate::cli::reference::Reference;
use crate::cli::{Context, Failure, output};
use crate::client::files::Commit;

/// Makes an image of a container and prints its id.
pub async fn commit(context: &Context, commit: args::Commit) -> Result<(), Failure> {
    let name = commit.name.as_deref().filter(|name| !name.is_empty());
    let name = name
        .map(|name| Reference::parse(name).map_err(|error| Failure::File(error.to_string())))
        .transpose()?;
    if commit.name.as_deref().is_some_and(|name| name.contains('@')) {
        return Err(Failure::File("cannot commit to digest reference".into()));
    }
    let asked = Commit {
        container: &commit.container,
        repository: name.as_ref().map(Reference::name),
        tag: name.as_ref().filter(|name| !name.is_bare()).map(|name| name.version().to_owned()),
        author: commit.author.as_deref(),
        comment: commit.message.as_deref(),
        changes: &commit.change,
        pause: commit.pause,
    };
    output::line(&context.client.commit_container(&asked).await?)
}
