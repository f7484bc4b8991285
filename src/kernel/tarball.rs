//! Tar headers with names as they are: `.`, a leading slash, any length. The crate `tar` refuses or
//! shortens them, and Docker's clients count on them.

use std::io::{self, Read, Write};
use tar::{Builder, EntryType, Header};

/// Bytes of a name that fit into a header.
const SHORT: usize = 100;

/// Adds an entry whose size, mode and type are in `header`.
///
/// # Errors
/// Those of the output and of `data`.
pub fn append<W: Write>(
    builder: &mut Builder<W>,
    header: &mut Header,
    name: &[u8],
    link: Option<&[u8]>,
    data: impl Read,
) -> io::Result<()> {
    if name.len() > SHORT {
        long(builder, EntryType::GNULongName, name)?;
    }
    set(&mut header.as_old_mut().name, name);
    if let Some(link) = link {
        if link.len() > SHORT {
            long(builder, EntryType::GNULongLink, link)?;
        }
        set(&mut header.as_old_mut().linkname, link);
    }
    header.set_cksum();
    builder.append(header, data)
}

/// The header that carries a long name, as GNU tar writes it.
fn long<W: Write>(builder: &mut Builder<W>, kind: EntryType, name: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    set(&mut header.as_old_mut().name, b"././@LongLink");
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(name.len() as u64 + 1);
    header.set_cksum();
    builder.append(&header, name.chain(&[0u8][..]))
}

fn set(field: &mut [u8; SHORT], value: &[u8]) {
    field.fill(0);
    let length = value.len().min(SHORT);
    field[..length].copy_from_slice(&value[..length]);
}
