//! What has to be known of an ELF file to move it to another file system: its loader, the
//! libraries it needs, where it looks for them.
//!
//! 64-bit little-endian only, which covers both processors `learn` is built for. Source: elf(5).
//! Nothing in the file is trusted: every offset is checked before it is followed.

use std::ops::Range;

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;

const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

/// A file that is no ELF file of the kind understood here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first four bytes are not ELF's.
    #[error("not an ELF file")]
    NotElf,
    /// Another word size or byte order.
    #[error("not a 64-bit little-endian ELF file")]
    OtherClass,
    /// An offset in the file points outside the file.
    #[error("damaged ELF file: {0} lies outside the file")]
    Damaged(&'static str),
    /// The new loader path does not fit where the old one is.
    #[error("loader path {new} is longer than {old}, the one it would replace")]
    LoaderTooLong {
        /// The path in the file.
        old: String,
        /// The path that was to replace it.
        new: String,
    },
}

/// The loader of a dynamic program, and where in the file its path stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Interpreter {
    path: String,
    place: Range<usize>,
}

/// The facts about one ELF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elf {
    /// `e_machine`: the processor's number. A library must have the same as its user.
    pub machine: u16,
    /// Names of the libraries it needs (DT_NEEDED), in the file's order.
    pub needed: Vec<String>,
    /// Directories it wants them searched in first (DT_RUNPATH or DT_RPATH); may start with
    /// `$ORIGIN`, the file's own directory.
    pub search: Vec<String>,
    interpreter: Option<Interpreter>,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

impl Elf {
    /// Reads the facts from a whole file.
    ///
    /// # Errors
    /// [`Error`], all variants but the last.
    pub fn parse(file: &[u8]) -> Result<Self, Error> {
        if file.get(..4) != Some(b"\x7fELF") {
            return Err(Error::NotElf);
        }
        if file.get(4..6) != Some(&[2, 1]) {
            return Err(Error::OtherClass);
        }
        let segments = segments(file)?;
        let interpreter = match segments.iter().find(|segment| segment.kind == PT_INTERP) {
            Some(segment) => Some(interpreter(file, segment)?),
            None => None,
        };
        let machine = u16::from_le_bytes(array(file, 18, "the header")?);
        let mut elf = Self { machine, needed: Vec::new(), search: Vec::new(), interpreter };
        if let Some(dynamic) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) {
            elf.read_dynamic(file, &segments, dynamic)?;
        }
        Ok(elf)
    }

    /// The loader's path (PT_INTERP); `None` for a static program and for most libraries.
    pub fn loader(&self) -> Option<&str> {
        self.interpreter.as_ref().map(|interpreter| interpreter.path.as_str())
    }

    /// Writes another loader path over the one in `file`, the file this was parsed from. What is
    /// left of the old path becomes NUL bytes; nothing in the file moves.
    ///
    /// # Errors
    /// [`Error::LoaderTooLong`] when `new` does not fit, [`Error::Damaged`] when `file` is another
    /// file. A file without a loader is left as it is.
    pub fn set_loader(&self, file: &mut [u8], new: &str) -> Result<(), Error> {
        let Some(Interpreter { path, place }) = &self.interpreter else {
            return Ok(());
        };
        let target = file.get_mut(place.clone()).ok_or(Error::Damaged("the loader's path"))?;
        // The kernel refuses a path whose last byte is not NUL (execve, load_elf_binary).
        if new.len() >= target.len() {
            return Err(Error::LoaderTooLong { old: path.clone(), new: new.to_owned() });
        }
        target.fill(0);
        target[..new.len()].copy_from_slice(new.as_bytes());
        Ok(())
    }

    fn read_dynamic(&mut self, file: &[u8], segments: &[Segment], dynamic: &Segment) -> Result<(), Error> {
        let table = slice(file, dynamic.offset, dynamic.size, "the dynamic section")?;
        let entries: Vec<(u64, u64)> = table
            .chunks_exact(16)
            .map(|entry| (number(&entry[..8]), number(&entry[8..])))
            .take_while(|(tag, _)| *tag != DT_NULL)
            .collect();
        let Some((_, strings)) = entries.iter().find(|(tag, _)| *tag == DT_STRTAB) else {
            return Ok(());
        };
        let strings = offset_of(segments, *strings).ok_or(Error::Damaged("the string table"))?;
        for (tag, value) in entries {
            let read = || {
                let start = strings.checked_add(value).ok_or(Error::Damaged("a string"))?;
                string(file, start)
            };
            match tag {
                DT_NEEDED => self.needed.push(read()?),
                DT_RPATH | DT_RUNPATH => {
                    let directories = read()?;
                    let named = directories.split(':').filter(|directory| !directory.is_empty());
                    self.search.extend(named.map(str::to_owned));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn segments(file: &[u8]) -> Result<Vec<Segment>, Error> {
    let header = slice(file, 0, HEADER as u64, "the header")?;
    let start = number(&header[32..40]);
    let size = u64::from(u16::from_le_bytes([header[54], header[55]]));
    let count = u64::from(u16::from_le_bytes([header[56], header[57]]));
    if count > 0 && size != PROGRAM_HEADER as u64 {
        return Err(Error::Damaged("the program header table"));
    }
    let table = slice(file, start, count * size, "the program header table")?;
    let segment = |entry: &[u8]| Segment {
        kind: u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]),
        offset: number(&entry[8..16]),
        address: number(&entry[16..24]),
        size: number(&entry[32..40]),
    };
    Ok(table.chunks_exact(PROGRAM_HEADER).map(segment).collect())
}

fn interpreter(file: &[u8], segment: &Segment) -> Result<Interpreter, Error> {
    let bytes = slice(file, segment.offset, segment.size, "the loader's path")?;
    let start = segment.offset as usize;
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(Interpreter { path: String::from_utf8_lossy(text).into_owned(), place: start..start + bytes.len() })
}

/// Where in the file an address of the running program is stored.
fn offset_of(segments: &[Segment], address: u64) -> Option<u64> {
    let loaded = segments.iter().find(|segment| {
        segment.kind == PT_LOAD
            && address.checked_sub(segment.address).is_some_and(|inside| inside < segment.size)
    })?;
    loaded.offset.checked_add(address - loaded.address)
}

fn string(file: &[u8], start: u64) -> Result<String, Error> {
    let damaged = Error::Damaged("a string");
    let rest = usize::try_from(start).ok().and_then(|start| file.get(start..));
    let rest = rest.ok_or_else(|| damaged.clone())?;
    let length = rest.iter().position(|byte| *byte == 0).ok_or(damaged)?;
    Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
}

fn slice<'a>(file: &'a [u8], start: u64, size: u64, what: &'static str) -> Result<&'a [u8], Error> {
    let place = || {
        let start = usize::try_from(start).ok()?;
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        file.get(start..end)
    };
    place().ok_or(Error::Damaged(what))
}

fn array<const N: usize>(file: &[u8], start: usize, what: &'static str) -> Result<[u8; N], Error> {
    let bytes = file.get(start..).and_then(|rest| rest.first_chunk::<N>());
    bytes.copied().ok_or(Error::Damaged(what))
}

/// The first eight bytes as a number; fewer count as zero.
fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().copied().map_or(0, u64::from_le_bytes)
}
