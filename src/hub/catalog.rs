//! What the hub has: images by repository and tag, each made when it is first asked for.

use std::sync::{Arc, Mutex, PoisonError};

use super::alpine::{self, Source};
use super::hello;
use super::image::{self, Image, Recipe};
use super::machine::Machine;

/// The tag of every image of the hub.
pub const TAG: &str = "latest";

/// Which file tree an image has.
#[derive(Debug, Clone, Copy)]
enum Contents {
    HelloWorld,
    Alpine,
}

/// The repositories, in the order of their names.
const REPOSITORIES: [(&str, Contents); 2] =
    [("library/alpine", Contents::Alpine), ("library/hello-world", Contents::HelloWorld)];

/// An image of the catalogue that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are no files for the stand-in.
    #[error(transparent)]
    Alpine(#[from] alpine::Error),
    /// The files do not become an image.
    #[error(transparent)]
    Image(#[from] image::Error),
}

/// The images of one hub.
///
/// It answers the requests of a registry by itself ([`Catalog::answer`]); the server and the
/// simulator only differ in how a request reaches it.
#[derive(Debug)]
pub struct Catalog {
    machine: Machine,
    /// `None`: the best source the machine has when `alpine` is first asked for.
    alpine: Option<Source>,
    repositories: Vec<Repository>,
}

#[derive(Debug)]
struct Repository {
    name: &'static str,
    contents: Contents,
    /// Locked while the image is made, so that two requests do not make it twice. A failure is
    /// not kept: the user may install what is missing and ask again.
    image: Mutex<Option<Arc<Image>>>,
}

impl Catalog {
    /// The images made from this machine's programs.
    pub fn builtin() -> Self {
        Self::new(Machine::this(), None)
    }

    /// The images of the simulator: the same digests on every machine of one architecture that
    /// runs the same build of `learn`, because no file of the machine is read.
    pub fn simulated() -> Self {
        Self::from_source(Source::Outline)
    }

    /// The images with `alpine` made from the given source.
    pub fn from_source(alpine: Source) -> Self {
        Self::new(Machine::this(), Some(alpine))
    }

    fn new(machine: Machine, alpine: Option<Source>) -> Self {
        let repository = |(name, contents)| Repository { name, contents, image: Mutex::new(None) };
        Self { machine, alpine, repositories: REPOSITORIES.map(repository).into() }
    }

    /// The names of all repositories, sorted, such as `library/alpine`.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.repositories.iter().map(|repository| repository.name)
    }

    /// The image of a repository (its only tag is [`TAG`]); `None` if there is no such repository.
    /// Takes up to a second and blocks when the image is not made yet.
    ///
    /// # Errors
    /// [`Error`], for this call only: the next one tries again.
    pub fn image(&self, name: &str) -> Result<Option<Arc<Image>>, Error> {
        let found = self.repositories.iter().find(|repository| repository.name == name);
        let Some(repository) = found else {
            return Ok(None);
        };
        // A panic while the image was made left `None` behind, which is a good state.
        let mut made = repository.image.lock().unwrap_or_else(PoisonError::into_inner);
        if made.is_none() {
            *made = Some(Arc::new(self.make(repository.contents)?));
        }
        Ok(made.clone())
    }

    fn make(&self, contents: Contents) -> Result<Image, Error> {
        let image = match contents {
            Contents::HelloWorld => Image::build(&Recipe {
                tree: &hello::tree(),
                command: &["/hello"],
                origin: "learn hub: /hello, compiled with learn itself",
            }),
            Contents::Alpine => {
                let source = match &self.alpine {
                    Some(source) => source.clone(),
                    None => alpine::choose(&self.machine)?,
                };
                Image::build(&Recipe {
                    tree: &alpine::tree(&source, &self.machine)?,
                    command: &["/bin/sh"],
                    origin: alpine::origin(&source),
                })
            }
        };
        Ok(image?)
    }
}
