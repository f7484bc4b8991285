//! A disk that is full.

use crate::bench::{Bench, GZIP, Hand, needs_root, text};
use crate::tarball::{Tarball, file, gzip};
use learn::error::{Hint, Kind};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Runs `work` with a small tmpfs at the layer's place, on a thread with a mount namespace of its
/// own; the threads it starts see the same, nobody else does.
fn with_small_disk(at: &str, work: impl FnOnce(&Bench) + Send) {
    let bench = Bench::new();
    let point = bench.temp.path().join(at);
    std::fs::create_dir(&point).unwrap();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
                .unwrap();
            mount(Some("tmpfs"), &point, Some("tmpfs"), MsFlags::empty(), Some("size=1m")).unwrap();
            work(&bench);
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

#[test]
fn a_full_disk_says_what_to_do() {
    if needs_root("a mount namespace with a small tmpfs") {
        return;
    }
    let layer = gzip(&Tarball::of([file("small", "x"), file("large", vec![1; 3_000_000])]));
    with_small_disk("layer", |bench| {
        let fault = bench.hand(&layer, Hand { media_type: GZIP, ..Hand::default() }).unwrap_err();
        assert_eq!((fault.kind, fault.hint), (Kind::Unavailable, Some(Hint::FreeDisk)));
        assert_eq!(fault.errno, Some(libc::ENOSPC));
        assert!(fault.message.contains("large"), "{}", fault.message);
    });
}

#[test]
fn a_mount_point_in_a_tree_is_not_entered_when_it_is_removed() {
    if needs_root("a mount namespace with a small tmpfs") {
        return;
    }
    with_small_disk("layer", |bench| {
        std::fs::write(bench.at("kept"), "kept").unwrap();
        let fault = learn::kernel::linux::remove::remove_tree(&text(&bench.root())).unwrap_err();
        assert!(matches!(fault.errno, Some(libc::EBUSY | libc::EXDEV)), "{fault:?}");
        let whole = learn::kernel::linux::remove::remove_tree(&text(bench.temp.path())).unwrap_err();
        assert!(whole.message.contains("layer"), "{}", whole.message);
        assert_eq!(bench.text("kept"), "kept");
    });
}
