//! Networks as data: which addresses there are, who has which, what the rules say, what names
//! mean. Nothing here touches the machine; the engine does, through its door.

pub mod endpoint;
pub mod error;
pub mod names;
pub mod pool;
pub mod ports;
pub mod record;
pub mod rules;

pub use endpoint::{Attachment, Endpoint, Published};
pub use error::Error;
pub use record::{Driver, Network};
