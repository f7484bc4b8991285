//! `learn tag`: one more name.

use super::args::Tag;
use crate::cli::reference::Reference;
use crate::cli::{Context, Failure};

/// Names an image.
pub async fn tag(context: &Context, args: Tag) -> Result<(), Failure> {
    let target = Reference::parse(&args.target).map_err(|error| {
        Failure::Arguments(format!(
            "Error parsing reference: {:?} is not a valid repository/tag: {error}",
            args.target
        ))
    })?;
    if target.is_digested() {
        return Err(Failure::Arguments("refusing to create a tag with a digest reference".into()));
    }
    Ok(context.client.tag_image(&args.source, &target.name(), target.version()).await?)
}
