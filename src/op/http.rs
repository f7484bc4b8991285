//! Requests to a registry: the OCI distribution specification.

use super::quote;
use serde::{Deserialize, Serialize};

/// An act on the network's other end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum HttpOp {
    /// One HTTP request; redirects are requests of their own.
    Request {
        /// `GET`, `HEAD`, `POST`.
        method: String,
        /// Absolute URL; secrets in the query are `***`.
        url: String,
        /// Header lines that matter, secrets as `***`; the true values travel beside the `Op`.
        headers: Vec<(String, String)>,
    },
}

impl HttpOp {
    pub(super) fn syscall(&self) -> String {
        let HttpOp::Request { method, url, .. } = self;
        format!("connect(); write(\"{method} {url} HTTP/1.1\"); read()")
    }

    pub(super) fn shell(&self) -> String {
        let HttpOp::Request { method, url, headers } = self;
        let mut line = match method.as_str() {
            "GET" => "curl -s".to_owned(),
            "HEAD" => "curl -sI".to_owned(),
            other => format!("curl -s -X {other}"),
        };
        for (name, value) in headers {
            line.push_str(&format!(" -H {}", quote(&format!("{name}: {value}"))));
        }
        format!("{line} {}", quote(url))
    }
}
