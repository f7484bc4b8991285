//! What the store learned of bytes it took in.

/// What streaming a layer brought to light.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// `sha256:<hex>` of the compressed bytes.
    pub digest: String,
    /// Compressed bytes.
    pub size: u64,
    /// `sha256:<hex>` of the inflated tar.
    pub diff_id: String,
    /// Inflated bytes.
    pub inflated: u64,
    /// Bytes of the files in it, as Docker counts a layer's size.
    pub content: u64,
    /// Entries unpacked.
    pub entries: u64,
}

/// A file that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its name in the archive, as it is written there without a leading `./`; not to be trusted.
    pub name: String,
    /// Where it is kept; empty for a link.
    pub file: String,
    /// `sha256:<hex>`; empty for a link.
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// What a symbolic link says, or the name a hard link is another one of.
    pub link: Option<String>,
}
