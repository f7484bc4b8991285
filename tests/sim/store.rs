use crate::bench::*;
use futures_util::{StreamExt, stream};
use learn::error::{Hint, Kind};
use learn::kernel::sim::SimHost;
use learn::kernel::{Host, Payload, Value};
use learn::op::{HttpOp, StoreOp};
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::sync::Arc;

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn request(url: &str) -> HttpOp {
    HttpOp::Request { method: "GET".into(), url: url.into(), headers: Vec::new() }
}

#[test]
fn a_host_out_of_reach_is_unavailable() {
    let fault = perform(&host(), request("https://registry-1.docker.io/v2/"), Payload::Empty).err();
    let fault = fault.expect("there is no network");
    assert_eq!(fault.kind, Kind::Unavailable);
    assert_eq!(fault.hint, Some(Hint::CheckNetwork));
    assert_eq!(fault.message, "dial tcp: lookup registry-1.docker.io: no such host");
}

#[test]
fn an_answer_shows_what_is_evidence() {
    let mut config = config(v2(0));
    config.registry = Arc::new(|method, url, _| {
        assert_eq!((method, url), ("GET", "https://hub/v2/"));
        let headers = [("content-type", "text/plain"), ("set-cookie", "secret")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Some((401, headers, "no".into()))
    });
    let host = SimHost::new(config).expect("a bare machine boots");
    let outcome = perform(&host, request("https://hub/v2/"), Payload::Empty).expect("an answer");
    assert_eq!(outcome.facts["status"], "401 Unauthorized");
    assert_eq!(outcome.facts["content-type"], "text/plain");
    assert!(!outcome.facts.contains_key("set-cookie"));
    assert!(matches!(outcome.value, Value::Response(answer) if answer.status == 401));
}

#[test]
fn a_layer_is_unpacked_with_its_whiteouts_and_both_digests() {
    let host = host();
    let inner = tar(&[
        Entry::Directory("etc"),
        Entry::File("etc/name", "alpine", 0o644),
        Entry::Hard("etc/again", "etc/name"),
        Entry::Link("etc/link", "name"),
        Entry::File("etc/.wh.gone", "", 0),
        Entry::File("var/.wh..wh..opq", "", 0),
    ]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&inner).expect("in memory");
    let bytes = gzip.finish().expect("in memory");
    let op = StoreOp::UnpackLayer {
        digest: digest(&bytes),
        blob: "/srv/blob".into(),
        media_type: "application/vnd.oci.image.layer.v1.tar+gzip".into(),
        directory: "/srv/layer".into(),
        limit: 1 << 20,
    };
    perform(&host, learn::op::FsOp::CreateDirectory { path: "/srv".into(), mode: 0o755 }, Payload::Empty)
        .expect("a new directory");
    let outcome = perform(&host, op, streamed(0, bytes.clone())).expect("a sound layer");
    let Value::Unpacked(unpacked) = outcome.value else { panic!("an unpacked layer has its digests") };
    assert_eq!((unpacked.digest, unpacked.diff_id), (digest(&bytes), digest(&inner)));
    assert_eq!((unpacked.size, unpacked.inflated), (bytes.len() as u64, inner.len() as u64));
    assert_eq!(unpacked.entries, 6);
    assert_eq!(host.list("/srv/layer/etc").expect("unpacked"), ["again", "gone", "link", "name"]);
    assert_eq!(host.read("/srv/layer/etc/again").expect("a hard link"), b"alpine");
    assert_eq!(host.read("/srv/blob").expect("kept"), bytes);
}

#[test]
fn a_layer_that_is_not_what_was_promised_is_not_kept() {
    let host = host();
    let bytes = tar(&[Entry::File("name", "x", 0o644)]);
    let outcome =
        perform(&host, unpack("/tmp/layer", "sha256:00"), streamed(0, bytes.clone())).expect("a tar");
    assert_eq!(outcome.facts["digest"], digest(&bytes));
    assert!(host.read("/tmp/layer.blob").is_err());
    let verify = StoreOp::VerifyDigest {
        subject: "layer".into(),
        expected: "sha256:00".into(),
        actual: digest(&bytes),
    };
    let fault = perform(&host, verify, Payload::Empty).err().expect("they differ");
    assert_eq!((fault.kind, fault.hint), (Kind::Unavailable, Some(Hint::PullAgain)));
}

#[test]
fn a_broken_stream_leaves_what_arrived_to_go_on_from() {
    let host = host();
    let bytes = tar(&[Entry::File("name", "content", 0o644)]);
    let (first, rest) = bytes.split_at(700);
    let broken = vec![Ok(bytes::Bytes::copy_from_slice(first)), Err(io::Error::other("connection reset"))];
    let payload =
        Payload::Stream { offset: 0, bytes: stream::iter(broken).boxed(), progress: Box::new(|_| {}) };
    let fault = perform(&host, unpack("/tmp/layer", &digest(&bytes)), payload).err().expect("it broke off");
    assert_eq!(fault.kind, Kind::Unavailable);
    assert_eq!(host.read("/tmp/layer.blob").expect("kept").len(), 700);
    let resumed = streamed(700, rest.to_vec());
    perform(&host, unpack("/tmp/layer", &digest(&bytes)), resumed).expect("the rest");
    assert_eq!(host.read("/tmp/layer/name").expect("unpacked"), b"content");
}

#[test]
fn a_layer_beyond_the_limit_or_out_of_its_root_is_refused() {
    let host = host();
    let big = tar(&[Entry::File("big", &"x".repeat(2 << 20), 0o644)]);
    let fault = perform(&host, unpack("/tmp/big", &digest(&big)), streamed(0, big)).err().expect("too large");
    assert_eq!(fault.hint, Some(Hint::RaiseUnpackLimit));
    let garbage = b"no tar at all, and longer than nothing".to_vec();
    let op = unpack("/tmp/bad", &digest(&garbage));
    let fault = perform(&host, op, streamed(0, garbage)).err().expect("malformed");
    assert_eq!(fault.kind, Kind::Invalid);
}

#[test]
fn a_layer_needs_an_empty_directory_and_the_compression_it_promises() {
    let host = host();
    let bytes = tar(&[Entry::File("name", "x", 0o644)]);
    let promised = digest(&bytes);
    perform(&host, unpack("/tmp/layer", &promised), streamed(0, bytes.clone())).expect("empty");
    let again = perform(&host, unpack("/tmp/layer", &promised), streamed(0, bytes.clone()));
    let fault = again.err().expect("what is there would become part of the layer");
    assert_eq!(fault.message, "cannot write /tmp/layer: directory not empty");
    let StoreOp::UnpackLayer { digest, blob, limit, .. } = unpack("/tmp/gzip", &promised) else { panic!() };
    let media_type = "application/vnd.oci.image.layer.v1.tar+gzip".into();
    let op = StoreOp::UnpackLayer { digest, blob, media_type, directory: "/tmp/gzip".into(), limit };
    let fault = perform(&host, op, streamed(0, bytes)).err().expect("it is a plain tar");
    assert!(
        fault.message.contains("promises gzip, but the bytes begin as an uncompressed tar"),
        "{}",
        fault.message
    );
}

#[test]
fn a_blob_that_is_not_its_digest_never_enters_the_store() {
    let host = host();
    let put = |digest: String| StoreOp::PutBlob { digest, path: "/tmp/blob".into(), size: 1 };
    let refused = perform(&host, put("sha256:00".into()), Payload::Bytes("x".into()));
    assert_eq!(refused.err().expect("another digest").kind, Kind::Unavailable);
    assert!(host.read("/tmp/blob").is_err());
    perform(&host, put(digest(b"x")), Payload::Bytes("x".into())).expect("its own");
    assert_eq!(host.read("/tmp/blob").expect("kept"), b"x");
}

#[test]
fn copied_layers_show_what_an_overlay_would() {
    let host = host();
    let lower = tar(&[
        Entry::File("etc/old", "old", 0o644),
        Entry::File("etc/gone", "old", 0o644),
        Entry::File("var/old", "old", 0o640),
        Entry::File("opt/old", "old", 0o640),
    ]);
    let upper = tar(&[
        Entry::File("etc/.wh.gone", "", 0),
        Entry::File("etc/new", "new", 0o600),
        Entry::Hard("etc/same", "etc/new"),
        Entry::Directory("var"),
        Entry::File("var/.wh..wh..opq", "", 0),
        Entry::File(".wh.opt", "", 0),
        Entry::Directory("opt"),
    ]);
    let made = learn::op::FsOp::CreateDirectory { path: "/tmp/root".into(), mode: 0o755 };
    perform(&host, made, Payload::Empty).expect("a new directory");
    for (name, layer) in [("/tmp/lower", lower), ("/tmp/upper", upper)] {
        perform(&host, unpack(name, &digest(&layer)), streamed(0, layer)).expect("a sound layer");
        let copy = learn::op::FsOp::CopyTree { from: name.into(), to: "/tmp/root".into() };
        perform(&host, copy, Payload::Empty).expect("laid over");
    }
    assert_eq!(host.list("/tmp/root/etc").expect("merged"), ["new", "old", "same"]);
    assert_eq!(host.list("/tmp/root/var").expect("opaque"), Vec::<String>::new());
    assert_eq!(host.list("/tmp/root/opt").expect("hidden and made anew"), Vec::<String>::new());
}

#[test]
fn a_rollback_may_come_twice() {
    let host = host();
    for op in [
        learn::op::FsOp::RemoveFile { path: "/tmp/none".into() },
        learn::op::FsOp::RemoveTree { path: "/tmp/none/below".into() },
    ] {
        perform(&host, op, Payload::Empty).expect("gone is what was asked for");
    }
    let signal = |signal: &str| learn::op::ProcessOp::Signal { pid: 4_000_000, signal: signal.into() };
    let gone = perform(&host, signal("SIGRTMIN+3"), Payload::Empty).err().expect("no such process");
    assert_eq!(gone.errno, Some(nix::libc::ESRCH));
    let fault = perform(&host, signal("SIGNOPE"), Payload::Empty).err().expect("no such signal");
    assert_eq!(fault.message, "there is no signal \"SIGNOPE\"");
}
