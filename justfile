# What CI does, in pieces. `just ci` is all of it, as root.

export INSTA_UPDATE := env("INSTA_UPDATE", "no")

# What there is.
default:
    @just --list

# Format, lint, tests as nobody, tests as root.
ci:
    .ci/run

# Formats the source.
format:
    cargo fmt --all

# What CI says about style.
lint:
    cargo fmt --all --check
    cargo clippy --locked --all-targets -- -D warnings

# Tests; arguments go to `cargo test`.
test *arguments:
    tests/run.sh {{ arguments }}

# Goes through snapshots that changed, one by one (needs cargo-insta).
accept:
    INSTA_UPDATE=new cargo test --test narration || true
    cargo insta review

# Ratios to docker, podman, crun and runc, as root.
bench *arguments:
    cargo bench --bench peers -- {{ arguments }}

# Both books below target/book (needs mdbook).
book:
    mdbook build book
    MDBOOK_BOOK__LANGUAGE=en MDBOOK_BOOK__SRC=src/en MDBOOK_BUILD__BUILD_DIR=../target/book/en mdbook build book
