//! The answering function by itself: no socket, one table per endpoint.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use learn::hub::image::{Blob, Image};
use learn::hub::{Answer, Catalog};

const NAME: &str = "library/alpine";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

struct Asker {
    catalog: Catalog,
}

impl Asker {
    fn new() -> Self {
        Self { catalog: Catalog::simulated() }
    }

    fn image(&self) -> std::sync::Arc<Image> {
        self.catalog.image(NAME).unwrap().unwrap()
    }

    fn ask(&self, method: Method, target: &str, headers: &[(&'static str, &str)]) -> Answer {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        self.catalog.answer(&method, target, &headers)
    }

    fn get(&self, target: &str) -> Answer {
        self.ask(Method::GET, target, &[])
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

fn json(answer: &Answer) -> serde_json::Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn assert_is(answer: &Answer, blob: &Blob) {
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, blob.bytes);
    assert_eq!(header(answer, "content-type"), Some(blob.media_type.to_string().as_str()));
    assert_eq!(header(answer, "docker-content-digest"), Some(blob.digest.as_ref()));
    assert_eq!(header(answer, "etag"), Some(format!("\"{}\"", blob.digest).as_str()));
    assert_eq!(header(answer, "content-length"), Some(blob.bytes.len().to_string().as_str()));
}

#[test]
fn the_base_says_what_it_is() {
    let asker = Asker::new();
    for target in ["/v2/", "/v2"] {
        let answer = asker.get(target);
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(header(&answer, "docker-distribution-api-version"), Some("registry/2.0"));
        assert_eq!(answer.body, "{}");
    }
}

#[test]
fn a_tag_gives_the_form_the_client_accepts() {
    let asker = Asker::new();
    let image = asker.image();
    let cases: [(&[&str], &Blob); 6] = [
        (&[], &image.index),
        (&["*/*"], &image.index),
        (&[INDEX], &image.index),
        (&[MANIFEST], &image.manifest),
        (&[MANIFEST, INDEX], &image.index),
        (&[DOCKER, MANIFEST], &image.manifest),
    ];
    for (accept, expected) in cases {
        let headers: Vec<_> = accept.iter().map(|value| ("accept", *value)).collect();
        let answer = asker.ask(Method::GET, "/v2/library/alpine/manifests/latest", &headers);
        assert_is(&answer, expected);
    }
    let target = "/v2/library/alpine/manifests/latest";
    let answer = asker.ask(Method::GET, target, &[("accept", DOCKER)]);
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(json(&answer)["errors"][0]["code"], "MANIFEST_UNKNOWN");
}

#[test]
fn a_digest_gives_exactly_its_content() {
    let asker = Asker::new();
    let image = asker.image();
    for blob in [&image.index, &image.manifest] {
        assert_is(&asker.get(&format!("/v2/{NAME}/manifests/{}", blob.digest)), blob);
    }
    for blob in [&image.config, &image.layer] {
        assert_is(&asker.get(&format!("/v2/{NAME}/blobs/{}", blob.digest)), blob);
        // A repository has its own blobs only, and a blob is no manifest.
        for elsewhere in ["library/hello-world/blobs", "library/alpine/manifests"] {
            let answer = asker.get(&format!("/v2/{elsewhere}/{}", blob.digest));
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{elsewhere}");
        }
    }
}

#[test]
fn head_has_the_headers_of_get_and_no_body() {
    let asker = Asker::new();
    let blob = format!("/v2/{NAME}/blobs/{}", asker.image().layer.digest);
    let manifest = format!("/v2/{NAME}/manifests/latest");
    for target in ["/v2/", blob.as_str(), manifest.as_str(), "/v2/nobody/manifests/latest"] {
        let (get, head) = (asker.get(target), asker.ask(Method::HEAD, target, &[]));
        assert_eq!((head.status, &head.headers), (get.status, &get.headers), "{target}");
        assert!(head.body.is_empty());
        let length = header(&head, "content-length").unwrap().to_owned();
        assert_eq!(length, get.body.len().to_string());
    }
}

#[test]
fn an_interrupted_blob_can_be_resumed() {
    let asker = Asker::new();
    let layer = asker.image().layer.clone();
    let (target, length) = (format!("/v2/{NAME}/blobs/{}", layer.digest), layer.bytes.len());
    assert_eq!(header(&asker.get(&target), "accept-ranges"), Some("bytes"));

    let rest = asker.ask(Method::GET, &target, &[("range", "bytes=100-")]);
    assert_eq!(rest.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(rest.body, layer.bytes.slice(100..));
    let expected = format!("bytes 100-{}/{length}", length - 1);
    assert_eq!(header(&rest, "content-range"), Some(expected.as_str()));
    assert_eq!(header(&rest, "content-length"), Some((length - 100).to_string().as_str()));

    let past = asker.ask(Method::GET, &target, &[("range", &format!("bytes={length}-"))]);
    assert_eq!(past.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(header(&past, "content-range"), Some(format!("bytes */{length}").as_str()));
    assert!(past.body.is_empty());

    let head = asker.ask(Method::HEAD, &target, &[("range", "bytes=100-")]);
    assert_eq!(head.status, StatusCode::OK);
}

#[test]
fn content_the_client_has_is_not_sent_again() {
    let asker = Asker::new();
    let image = asker.image();
    let etag = format!("\"{}\"", image.index.digest);
    let target = format!("/v2/{NAME}/manifests/latest");
    let same = asker.ask(Method::GET, &target, &[("if-none-match", &etag)]);
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(header(&same, "etag"), Some(etag.as_str()));
    let other = asker.ask(Method::GET, &target, &[("if-none-match", "\"sha256:0\"")]);
    assert_is(&other, &image.index);
}

#[test]
fn lists_come_whole_or_page_by_page() {
    let asker = Asker::new();
    let tags = "/v2/library/alpine/tags/list";
    let all = ["library/alpine", "library/hello-world"];
    let cases: [(&str, &str, &[&str], Option<&str>); 8] = [
        (tags, "tags", &["latest"], None),
        ("/v2/library/alpine/tags/list?n=1", "tags", &["latest"], None),
        ("/v2/library/alpine/tags/list?n=0", "tags", &[], None),
        ("/v2/library/alpine/tags/list?last=latest", "tags", &[], None),
        ("/v2/_catalog", "repositories", &all, None),
        (
            "/v2/_catalog?n=1",
            "repositories",
            &all[..1],
            Some("</v2/_catalog?n=1&last=library/alpine>; rel=\"next\""),
        ),
        ("/v2/_catalog?n=1&last=library/alpine", "repositories", &all[1..], None),
        ("/v2/_catalog?last=library%2Falpine", "repositories", &all[1..], None),
    ];
    for (target, key, expected, link) in cases {
        let answer = asker.get(target);
        assert_eq!(json(&answer)[key], serde_json::json!(expected), "{target}");
        assert_eq!(header(&answer, "link"), link, "{target}");
    }
    assert_eq!(json(&asker.get(tags))["name"], "library/alpine");
}

#[test]
fn refusals_carry_the_codes_of_the_specification() {
    let asker = Asker::new();
    let absent = format!("sha256:{}", "0".repeat(64));
    let cases = [
        (404, "NAME_UNKNOWN", "/v2/library/nginx/manifests/latest".to_owned()),
        (404, "NAME_UNKNOWN", "/v2/library/nginx/tags/list".into()),
        (404, "NAME_UNKNOWN", format!("/v2/library/nginx/blobs/{absent}")),
        (400, "NAME_INVALID", "/v2/Library/alpine/manifests/latest".into()),
        (404, "MANIFEST_UNKNOWN", "/v2/library/alpine/manifests/3.20".into()),
        (404, "MANIFEST_UNKNOWN", format!("/v2/library/alpine/manifests/{absent}")),
        (404, "BLOB_UNKNOWN", format!("/v2/library/alpine/blobs/{absent}")),
        (400, "DIGEST_INVALID", "/v2/library/alpine/blobs/sha256:12".into()),
        (400, "DIGEST_INVALID", "/v2/library/alpine/manifests/md5:12".into()),
        (400, "PAGINATION_NUMBER_INVALID", "/v2/_catalog?n=many".into()),
        (404, "UNSUPPORTED", "/v1/_ping".into()),
        (404, "UNSUPPORTED", "/v2/library".into()),
        (404, "UNSUPPORTED", "*".into()),
    ];
    for (status, code, target) in cases {
        let answer = asker.get(&target);
        assert_eq!(answer.status, status, "{target}");
        let body = json(&answer);
        assert_eq!(body["errors"][0]["code"], code, "{target}");
        assert!(body["errors"][0]["message"].is_string());
    }
    for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::POST] {
        let answer = asker.ask(method, "/v2/library/alpine/manifests/latest", &[]);
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(json(&answer)["errors"][0]["code"], "UNSUPPORTED");
    }
}

#[test]
fn an_image_that_cannot_be_made_is_an_error_with_its_reason() {
    let gone = learn::hub::alpine::Source::StaticBusybox("/nonexistent/busybox".into());
    let asker = Asker { catalog: Catalog::from_source(gone) };
    let answer = asker.get("/v2/library/alpine/manifests/latest");
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let detail = json(&answer)["errors"][0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("/nonexistent/busybox"), "{detail}");
    assert_eq!(asker.get("/v2/library/hello-world/manifests/latest").status, StatusCode::OK);
}
