//! Images into one tar that Docker, podman, skopeo and containerd read.

use super::super::digest;
use super::super::error::Error;
use super::super::manifest::OCI_INDEX;
use super::super::reference::Reference;
use super::super::travel::Parcel;
use super::{Entry, NAME, REF_NAME};
use serde_json::{Map, Value, json};
use std::io::{self, Read, Write};

/// An image to be packed.
#[derive(Debug)]
pub(in crate::image) struct Packed {
    pub parcel: Parcel,
    /// Names with a tag that it is to have there.
    pub names: Vec<Reference>,
}

/// Opens a blob.
pub(in crate::image) type Open<'a> = &'a dyn Fn(&str) -> Result<Box<dyn Read + Send>, Error>;

/// Writes the archive. Blobs that several images share are in it once.
///
/// # Errors
/// When a blob cannot be read, or the reader of the archive goes away.
pub(in crate::image) fn write(into: impl Write, images: &[Packed], open: Open) -> Result<(), Error> {
    let mut tar = tar::Builder::new(into);
    for directory in ["blobs/", "blobs/sha256/"] {
        let mut header = header(tar::EntryType::Directory, 0o755, 0);
        tar.append_data(&mut header, directory, io::empty()).map_err(broken)?;
    }
    let mut written: Vec<String> = Vec::new();
    for Packed { parcel, .. } in images {
        for part in parcel.blobs() {
            if !written.contains(&part.digest) {
                let name = blob(&part.digest);
                let mut header = header(tar::EntryType::Regular, 0o644, part.size);
                let bytes = open(&part.digest)?.take(part.size);
                tar.append_data(&mut header, name, bytes).map_err(broken)?;
                written.push(part.digest.clone());
            }
        }
        let own = parcel.digest();
        if !written.contains(&own) {
            put(&mut tar, &blob(&own), &parcel.manifest)?;
            written.push(own);
        }
    }
    put(&mut tar, "index.json", &to_vec(&index(images)))?;
    put(&mut tar, "manifest.json", &to_vec(&entries(images)))?;
    put(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    put(&mut tar, "repositories", &to_vec(&repositories(images)))?;
    tar.into_inner().and_then(|mut into| into.flush()).map_err(broken)
}

fn broken(error: io::Error) -> Error {
    Error::Archive(error.to_string())
}

fn to_vec(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn blob(digest: &str) -> String {
    format!("blobs/sha256/{}", digest::hex(digest))
}

/// Nobody's file of the epoch: the same images give the same archive.
fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header
}

fn put(tar: &mut tar::Builder<impl Write>, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let mut header = header(tar::EntryType::Regular, 0o644, bytes.len() as u64);
    tar.append_data(&mut header, name, bytes).map_err(broken)
}

fn index(images: &[Packed]) -> Value {
    let entry = |packed: &Packed, annotations: Value| {
        let part = packed.parcel.part();
        let mut entry = json!({ "mediaType": part.media_type, "digest": part.digest, "size": part.size });
        if !annotations.is_null() {
            entry["annotations"] = annotations;
        }
        entry
    };
    let manifests = images.iter().flat_map(|packed| match packed.names.is_empty() {
        true => vec![entry(packed, Value::Null)],
        false => {
            let named = packed.names.iter().map(|name| {
                entry(packed, json!({ NAME: name.to_string(), REF_NAME: name.tag().unwrap_or_default() }))
            });
            named.collect()
        }
    });
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests.collect::<Vec<Value>>() })
}

fn entries(images: &[Packed]) -> Vec<Entry> {
    let entry = |packed: &Packed| {
        let tags: Vec<String> = packed.names.iter().map(Reference::familiar).collect();
        Entry {
            config: blob(&packed.parcel.config.digest),
            repo_tags: Some(tags).filter(|tags| !tags.is_empty()),
            layers: packed.parcel.layers.iter().map(|layer| blob(&layer.digest)).collect(),
        }
    };
    images.iter().map(entry).collect()
}

fn repositories(images: &[Packed]) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for packed in images {
        let top = packed.parcel.layers.last().map(|layer| digest::hex(&layer.digest)).unwrap_or_default();
        for name in &packed.names {
            let tags = all.entry(name.familiar_name()).or_insert_with(|| json!({}));
            tags[name.tag().unwrap_or_default()] = top.into();
        }
    }
    Value::Object(all)
}
