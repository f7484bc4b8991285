//! What a request's headers say about the form of the answer (RFC 9110).

use std::ops::Range;

use axum::http::{HeaderMap, HeaderName, header};

/// How much of a blob is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// These bytes; never empty.
    Range(Range<usize>),
    /// Bytes it does not have.
    Unsatisfiable,
}

/// Whether the client takes `media_type`. No `Accept` header means it takes anything (12.5.1).
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    if !headers.contains_key(header::ACCEPT) {
        return true;
    }
    let family = media_type.split('/').next().unwrap_or_default();
    let weight = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        // The more exact a range, the more it counts.
        let rank = match parts.next()? {
            exact if exact.eq_ignore_ascii_case(media_type) => 2,
            "*/*" => 0,
            wild if wild.strip_suffix("/*").is_some_and(|it| it.eq_ignore_ascii_case(family)) => 1,
            _ => return None,
        };
        let refused = parts
            .filter_map(|parameter| parameter.strip_prefix("q="))
            .any(|quality| quality.parse() == Ok(0.0));
        Some((rank, !refused))
    };
    items(headers, &header::ACCEPT).filter_map(weight).max().is_some_and(|(_, taken)| taken)
}

/// Whether `If-None-Match` names `etag`: the client has the content already (13.1.2).
pub(super) fn matches_etag(headers: &HeaderMap, etag: &str) -> bool {
    items(headers, &header::IF_NONE_MATCH)
        .any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == etag)
}

/// The part of `length` bytes that `Range` asks for (14.2). More than one range, another unit, or
/// an `If-Range` about other content mean the whole.
pub(super) fn part(headers: &HeaderMap, etag: &str, length: usize) -> Part {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|condition| condition != etag) {
        return Part::Whole;
    }
    let range = text(header::RANGE).and_then(|value| value.trim().strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return Part::Whole;
    };
    let bounds = match (number(first), number(last)) {
        (Some(first), None) if last.is_empty() => first..length,
        (Some(first), Some(last)) if first <= last => first..length.min(last.saturating_add(1)),
        // `-N`: the last N bytes.
        (None, Some(count)) if first.is_empty() => length.saturating_sub(count)..length,
        _ => return Part::Whole,
    };
    if bounds.is_empty() { Part::Unsatisfiable } else { Part::Range(bounds) }
}

/// Digits only. A number too large to count with is past every end.
fn number(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}

/// The items of a list header, which may also be spread over several lines.
fn items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "application/vnd.oci.image.index.v1+json";

    fn with(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), axum::http::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn accept_is_read_with_wildcards_and_refusals() {
        let cases = [
            (INDEX, true),
            ("text/html, application/vnd.oci.image.index.v1+json;q=0.5", true),
            ("*/*", true),
            ("application/*", true),
            ("application/json", false),
            ("text/*", false),
            ("*/*, application/vnd.oci.image.index.v1+json;q=0", false),
            ("application/*;q=0, application/vnd.oci.image.index.v1+json", true),
        ];
        for (value, expected) in cases {
            assert_eq!(accepts(&with(&[(header::ACCEPT, value)]), INDEX), expected, "{value}");
        }
        assert!(accepts(&HeaderMap::new(), INDEX));
    }

    #[test]
    fn a_range_is_clipped_refused_or_ignored() {
        let cases = [
            ("bytes=0-", Part::Range(0..10)),
            ("bytes=4-", Part::Range(4..10)),
            ("bytes=4-4", Part::Range(4..5)),
            ("bytes=4-99999999999999999999999", Part::Range(4..10)),
            ("bytes=-3", Part::Range(7..10)),
            ("bytes=-99", Part::Range(0..10)),
            ("bytes=10-", Part::Unsatisfiable),
            ("bytes=99999999999999999999999-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=5-4", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=+1-", Part::Whole),
            ("bytes=-", Part::Whole),
            ("lines=1-", Part::Whole),
        ];
        for (value, expected) in cases {
            assert_eq!(part(&with(&[(header::RANGE, value)]), "\"x\"", 10), expected, "{value}");
        }
    }

    #[test]
    fn if_range_about_other_content_means_the_whole() {
        let other = with(&[(header::RANGE, "bytes=4-"), (header::IF_RANGE, "\"y\"")]);
        assert_eq!(part(&other, "\"x\"", 10), Part::Whole);
        let same = with(&[(header::RANGE, "bytes=4-"), (header::IF_RANGE, "\"x\"")]);
        assert_eq!(part(&same, "\"x\"", 10), Part::Range(4..10));
    }
}
