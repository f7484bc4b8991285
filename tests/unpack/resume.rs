//! Downloads that broke off.

use crate::bench::{Bench, GZIP, Hand, digest, host, runtime, text};
use crate::tarball::{Tarball, file, gzip};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use learn::error::Kind;
use learn::kernel::linux::remove::remove_tree;
use learn::kernel::{Host, Payload};
use learn::op::{Op, StoreOp};
use rand::RngExt;
use tokio::sync::oneshot;

/// A layer that compression does not shrink, so that half of it holds something.
fn sample() -> Vec<u8> {
    let noise: Vec<u8> = (0..400_000).map(|_| rand::rng().random()).collect();
    gzip(&Tarball::of([file("noise", noise), file("last", "last")]))
}

#[test]
fn a_broken_connection_keeps_what_arrived_and_the_next_attempt_goes_on_from_there() {
    let bench = Bench::new();
    let layer = sample();
    let half = layer.len() / 2;
    let hand = Hand { media_type: GZIP, digest: Some(digest(&layer)), breaks: true, ..Hand::default() };
    let fault = bench.hand(&layer[..half], hand).unwrap_err();
    assert_eq!(fault.kind, Kind::Unavailable);
    assert!(fault.message.contains("connection reset"), "{}", fault.message);
    assert_eq!(std::fs::read(bench.blob()).unwrap(), layer[..half]);

    remove_tree(&text(&bench.root())).unwrap();
    let hand = Hand { media_type: GZIP, offset: half as u64, ..Hand::default() };
    let result = bench.hand(&layer, hand).unwrap();
    assert_eq!(result.unpacked.digest, digest(&layer));
    assert_eq!(result.progress, layer.len() as u64);
    assert_eq!(std::fs::read(bench.blob()).unwrap(), layer);
    assert_eq!(bench.text("last"), "last");
}

#[test]
fn a_partial_blob_is_cut_to_the_offset_and_never_shorter_than_it() {
    let layer = sample();
    let bench = Bench::new();
    let longer = [&layer[..1000], b"a torn end"].concat();
    std::fs::write(bench.blob(), longer).unwrap();
    let hand = || Hand { media_type: GZIP, offset: 1000, ..Hand::default() };
    assert_eq!(bench.hand(&layer, hand()).unwrap().unpacked.digest, digest(&layer));
    assert!(std::fs::read(bench.blob()).unwrap() == layer);

    let bench = Bench::new();
    std::fs::write(bench.blob(), &layer[..999]).unwrap();
    assert!(bench.hand(&layer, hand()).unwrap_err().message.contains("999 bytes"));
}

#[test]
fn a_pull_that_is_dropped_midway_writes_nothing_more() {
    let bench = Bench::new();
    let layer = sample();
    let op: Op = StoreOp::UnpackLayer {
        digest: digest(&layer),
        blob: text(&bench.blob()),
        media_type: GZIP.into(),
        directory: text(&bench.root()),
        limit: 1 << 30,
    }
    .into();
    let (arrived, all_taken) = oneshot::channel();
    let mut arrived = Some(arrived);
    let first = Bytes::copy_from_slice(&layer[..100_000]);
    // Tells when its bytes were taken, and then never ends.
    let bytes = stream::iter([Ok(first)])
        .chain(stream::poll_fn(move |_| {
            if let Some(arrived) = arrived.take() {
                arrived.send(()).unwrap();
            }
            std::task::Poll::Pending
        }))
        .boxed();
    let payload = Payload::Stream { offset: 0, bytes, progress: Box::new(|_| {}) };
    let host = host();
    runtime().block_on(async {
        tokio::select! {
            _ = host.perform(&op, payload) => panic!("the stream never ends"),
            _ = all_taken => {}
        }
    });
    // The select dropped the operation, and dropping joins its threads: nothing makes the
    // directory anew.
    remove_tree(&text(&bench.root())).unwrap();
    assert!(!bench.root().exists());
    assert_eq!(std::fs::read(bench.blob()).unwrap(), layer[..100_000]);
}
