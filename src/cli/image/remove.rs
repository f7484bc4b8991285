//! `learn rmi`.

use super::args::Remove;
use crate::cli::{Context, Failure, output};

/// Removes names, and images that no name is left of.
pub async fn remove(context: &Context, remove: Remove) -> Result<(), Failure> {
    let mut failures = Vec::new();
    for name in &remove.images {
        let removed = match context.client.remove_image(name, remove.force, remove.no_prune).await {
            Ok(removed) => removed,
            Err(error) if remove.force && error.status().is_some_and(|status| status == 404) => {
                output::error_line(&error.to_string())?;
                continue;
            }
            Err(error) => {
                failures.push(error.into());
                continue;
            }
        };
        for one in removed {
            if let Some(deleted) = one.deleted {
                output::line(&format!("Deleted: {deleted}"))?;
            }
            if let Some(untagged) = one.untagged {
                output::line(&format!("Untagged: {untagged}"))?;
            }
        }
    }
    Failure::all(failures)
}
